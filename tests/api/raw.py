"""HTTP by hand: headers and bodies no honest client sends."""

import http.client
import json
import uuid
from typing import Any

from shared.errors import ErrorCode
from shared.multipart import MultipartBody
from shared.paths import ServerInfo
from shared.protocol import IDEMPOTENCY_HEADER, PROTOCOL_VERSION, TOKEN_HEADER, VERSION_HEADER


def honest(info: ServerInfo) -> dict[str, str]:
    """The headers the client sends."""
    return {"Host": "127.0.0.1:%d" % info.port, TOKEN_HEADER: info.token, VERSION_HEADER: str(PROTOCOL_VERSION)}


def call(
    info: ServerInfo, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b"", chunked: bool = False
) -> tuple[int, Any]:
    """Status and JSON of the answer; ``headers`` are sent exactly so.  A body gets its length unless it is chunked or given."""
    connection = http.client.HTTPConnection("127.0.0.1", info.port, timeout=30)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        wanted = honest(info) if headers is None else headers
        for name, value in wanted.items():
            connection.putheader(name, value)
        if chunked:
            connection.putheader("Transfer-Encoding", "chunked")
        elif "Content-Length" not in wanted:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders()
        try:
            for start in range(0, len(body), 65536):
                block = body[start : start + 65536]
                connection.send(b"%x\r\n%s\r\n" % (len(block), block) if chunked else block)
            if chunked:
                connection.send(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before the end; the answer may still be there
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def code_of(answer: Any) -> ErrorCode:
    """The error in an answer, checked for its whole form."""
    error = answer["error"]
    assert set(error) == {"code", "message", "hint", "detail"}
    assert error["message"].endswith(".") and error["hint"].endswith(".")
    return ErrorCode(error["code"])


def upload(info: ServerInfo, request_part: bytes, parts: dict[str, bytes], **changes: str) -> tuple[int, Any]:
    """``POST /v1/jobs`` with any bytes as its parts."""
    body = MultipartBody(request_part, parts)
    headers = honest(info) | {"Content-Type": body.content_type, IDEMPOTENCY_HEADER: uuid.uuid4().hex} | changes
    return call(info, "POST", "/v1/jobs", headers, b"".join(body))
