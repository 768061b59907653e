"""Who is refused at the door, and with which sentence."""

import pytest

from shared.client import Client
from shared.errors import ERRORS, ErrorCode, LinewashError
from shared.paths import ServerInfo
from shared.protocol import MAX_JSON_BYTES, TOKEN_HEADER, VERSION_HEADER
from shared.request_parts import RequestParts
from tests.api import images
from tests.api.backend_process import BackendProcess
from tests.api.raw import call, code_of, honest

HELLO = "/v1/hello"
PATHS = (HELLO, "/v1/jobs", "/v1/system", "/docs", "/openapi.json", "/redoc", "/", "/v1/jobs/x/layers/..%2f..%2fserver.json")


def refused(info: ServerInfo, path: str, headers: dict[str, str], code: ErrorCode) -> None:
    status, answer = call(info, "GET", path, headers)
    assert code_of(answer) is code
    assert status == ERRORS[code].status


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("token", [None, "", "x", "0" * 43, "ü"])
def test_without_the_token_nothing_is_answered(backend: BackendProcess, path: str, token: str | None) -> None:
    headers = honest(backend.info)
    del headers[TOKEN_HEADER]
    if token is not None:
        headers[TOKEN_HEADER] = token
    refused(backend.info, path, headers, ErrorCode.BAD_TOKEN)


def test_a_token_that_only_starts_right_is_refused(backend: BackendProcess) -> None:
    token = backend.info.token
    for wrong in (token[:-1], token + "x", token.swapcase()):
        refused(backend.info, HELLO, honest(backend.info) | {TOKEN_HEADER: wrong}, ErrorCode.BAD_TOKEN)


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "localhost", "127.0.0.1:1", "localhost:{port}.evil.example", "[::1]:{port}", ""]
)
def test_another_host_name_is_refused(backend: BackendProcess, host: str) -> None:
    headers = honest(backend.info) | {"Host": host.format(port=backend.info.port)}
    refused(backend.info, HELLO, headers, ErrorCode.FORBIDDEN_HOST)


def test_localhost_is_this_computer_too(backend: BackendProcess) -> None:
    status, _ = call(backend.info, "GET", HELLO, honest(backend.info) | {"Host": "localhost:%d" % backend.info.port})
    assert status == 200


@pytest.mark.parametrize("origin", ["null", "https://evil.example", "http://127.0.0.1:{port}", ""])
def test_a_web_page_is_refused_even_with_the_token(backend: BackendProcess, origin: str) -> None:
    headers = honest(backend.info) | {"Origin": origin.format(port=backend.info.port)}
    refused(backend.info, HELLO, headers, ErrorCode.FORBIDDEN_ORIGIN)


def test_a_preflight_gets_no_cors_headers(backend: BackendProcess) -> None:
    headers = honest(backend.info) | {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    status, answer = call(backend.info, "OPTIONS", "/v1/jobs", headers)
    assert (status, code_of(answer)) == (403, ErrorCode.FORBIDDEN_ORIGIN)


@pytest.mark.parametrize("version", [None, "0", "1", "3", "2.0", "x"])
def test_another_protocol_is_refused_but_may_say_hello(backend: BackendProcess, version: str | None) -> None:
    headers = honest(backend.info)
    del headers[VERSION_HEADER]
    if version is not None:
        headers[VERSION_HEADER] = version
    refused(backend.info, "/v1/system", headers, ErrorCode.VERSION_MISMATCH)
    assert call(backend.info, "GET", HELLO, headers)[0] == 200


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json", "/", "/v1", "/v2/hello"])
def test_there_are_no_pages(backend: BackendProcess, path: str) -> None:
    status, answer = call(backend.info, "GET", path)
    assert (status, code_of(answer)) == (404, ErrorCode.BAD_REQUEST)


def test_a_wrong_method_is_an_error_of_ours(backend: BackendProcess) -> None:
    status, answer = call(backend.info, "PUT", "/v1/jobs")
    assert (status, code_of(answer)) == (405, ErrorCode.BAD_REQUEST)


@pytest.mark.parametrize("query", ["wait=-1", "wait=31", "wait=nan", "wait=x", "after=x", "after=1.5"])
def test_a_bad_query_is_an_error_of_ours(backend: BackendProcess, query: str) -> None:
    status, answer = call(backend.info, "GET", "/v1/jobs/x?" + query)
    assert (status, code_of(answer)) == (400, ErrorCode.BAD_REQUEST)


def test_a_declared_length_beyond_the_limit_is_refused_unread(backend: BackendProcess) -> None:
    for path, length in (("/v1/jobs", 3_000_001), ("/v1/shutdown", MAX_JSON_BYTES + 1), ("/v1/jobs", 10**14)):
        status, answer = call(backend.info, "POST", path, honest(backend.info) | {"Content-Length": str(length)})
        assert (status, code_of(answer)) == (413, ErrorCode.REQUEST_TOO_LARGE)


def test_a_client_that_sends_images_learns_of_a_wrong_token(backend: BackendProcess) -> None:
    wrong = ServerInfo(**(backend.info.to_json() | {"token": "wrong"}))
    with Client(wrong) as client, pytest.raises(LinewashError) as caught:
        client.submit(images.request(), RequestParts(bytes(1_900_000), (bytes(900_000),)), "key")
    assert caught.value.code is ErrorCode.BAD_TOKEN
