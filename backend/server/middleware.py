"""The door: every request is judged by its headers before anything of it is read or decoded."""

import asyncio
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.server.responses import error_response
from shared.errors import ErrorCode, LinewashError
from shared.protocol import MAX_JSON_BYTES, PROTOCOL_VERSION, TOKEN_HEADER, VERSION_HEADER

HELLO = "/v1/hello"
UPLOAD = "/v1/jobs"
DRAIN_S, SILENCE_S = 30.0, 1.0
"""How long the rest of a refused upload is read and dropped, and how long a silent client is waited for."""
Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class GuardRules:
    """What the guard compares with.  port: of this server.  max_request_bytes: of an upload, all parts together."""

    port: int
    token: str
    max_request_bytes: int


class RequestGuardMiddleware:
    """ASGI middleware.  In this order: FORBIDDEN_HOST (421), FORBIDDEN_ORIGIN (403), BAD_TOKEN (401), VERSION_MISMATCH
    (426, but for hello), REQUEST_TOO_LARGE (413, by the declared length, and by counting where none is declared).
    """

    def __init__(self, app: ASGIApp, rules: GuardRules, on_request: Callable[[], None]) -> None:
        self._app, self._rules, self._on_request = app, rules, on_request
        self._hosts = [[b"127.0.0.1:%d" % rules.port], [b"localhost:%d" % rules.port]]
        self._token = rules.token.encode("ascii")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or answer it."""
        if scope["type"] != "http":  # lifespan; websockets are switched off
            await self._app(scope, receive, send)
            return
        error = self.check(scope["path"], scope["headers"])
        unread = error is not None and error.code is ErrorCode.REQUEST_TOO_LARGE
        body = _CountedBody(receive, send, -1 if unread else self._limit(scope["path"]))
        if error is not None:
            await error_response(error)(scope, body.receive, body.send)
            return
        self._on_request()
        await self._app(scope, body.receive, body.send)

    def check(self, path: str, headers: Headers) -> LinewashError | None:
        """Why this request is not answered, judged by path and headers (names in lower case) alone."""
        if _all(headers, "host") not in self._hosts:
            return LinewashError(ErrorCode.FORBIDDEN_HOST)
        if _all(headers, "origin"):
            return LinewashError(ErrorCode.FORBIDDEN_ORIGIN)
        tokens = _all(headers, TOKEN_HEADER)
        if len(tokens) != 1 or not hmac.compare_digest(tokens[0], self._token):
            return LinewashError(ErrorCode.BAD_TOKEN)
        if path != HELLO and _all(headers, VERSION_HEADER) != [b"%d" % PROTOCOL_VERSION]:
            return LinewashError(ErrorCode.VERSION_MISMATCH, "this backend speaks %d" % PROTOCOL_VERSION)
        limit = self._limit(path)
        if any(not length.isdigit() or len(length) > 15 or int(length) > limit for length in _all(headers, "content-length")):
            return LinewashError(ErrorCode.REQUEST_TOO_LARGE, "more than %d bytes" % limit)
        return None

    def _limit(self, path: str) -> int:
        return self._rules.max_request_bytes if path == UPLOAD else MAX_JSON_BYTES


class _CountedBody:
    """Counts the body as it streams, and reads what is left of it before the answer is sent.

    A socket that is closed while data waits in it resets the connection, and the client would never read why.
    """

    def __init__(self, receive: Receive, send: Send, limit: int) -> None:
        self._receive, self._send, self._limit = receive, send, limit
        self._seen, self._whole = 0, False

    async def receive(self) -> Message:
        """The next piece; raises REQUEST_TOO_LARGE once more than the limit came."""
        message = await self._next()
        if self._seen > self._limit:
            raise LinewashError(ErrorCode.REQUEST_TOO_LARGE, "more than %d bytes" % self._limit)
        return message

    async def send(self, message: Message) -> None:
        """Pass an answer on, after the rest of the body."""
        until = time.monotonic() + DRAIN_S
        while message["type"] == "http.response.start" and not self._whole and self._seen <= self._limit:
            try:
                await asyncio.wait_for(self._next(), min(SILENCE_S, until - time.monotonic()))
            except asyncio.TimeoutError:
                break
        await self._send(message)

    async def _next(self) -> Message:
        message = await self._receive()
        self._seen += len(message.get("body", b""))
        self._whole = message["type"] != "http.request" or not message.get("more_body", False)
        return message


def _all(headers: Headers, name: str) -> list[bytes]:
    key = name.lower().encode("ascii")
    return [value for header, value in headers if header == key]
