"""Checks every request by its headers, before its body is read."""

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
UPLOADS = ("/v1/jobs", "/v1/bleach")
"""Calls whose bodies hold images."""
DRAIN_S, SILENCE_S = 30.0, 1.0
"""How long the rest of a refused upload is read and dropped, and how long to wait for a silent client, seconds."""
Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class GuardRules:
    """What the guard compares a request with."""

    port: int
    """The port of this server."""
    token: str
    """The key that a request must carry."""
    max_request_bytes: int
    """Limit of an upload, all parts together."""


class RequestGuardMiddleware:
    """ASGI middleware that refuses requests.

    It checks in this order: FORBIDDEN_HOST (421), FORBIDDEN_ORIGIN (403), BAD_TOKEN (401), VERSION_MISMATCH (426, except
    for hello), REQUEST_TOO_LARGE (413, by the declared length, or by counting when none is declared).
    """

    def __init__(self, app: ASGIApp, rules: GuardRules, on_request: Callable[[], None]) -> None:
        self._app, self._rules, self._on_request = app, rules, on_request
        self._hosts = [[b"127.0.0.1:%d" % rules.port], [b"localhost:%d" % rules.port]]
        self._token = rules.token.encode("ascii")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it with an error."""
        if scope["type"] != "http":  # lifespan; websockets are switched off
            await self._app(scope, receive, send)
            return
        error = self.check(scope["path"], scope["headers"])
        # The rest of an oversized upload is dropped with the connection, never read.
        is_oversized = error is not None and error.code is ErrorCode.REQUEST_TOO_LARGE
        body = _CountedBody(receive, send, -1 if is_oversized else self._limit(scope["path"]))
        if error is not None:
            await error_response(error)(scope, body.receive, body.send)
            return
        self._on_request()
        await self._app(scope, body.receive, body.send)

    def check(self, path: str, headers: Headers) -> LinewashError | None:
        """Why this request is refused, by its path and headers (names in lower case) alone; None when it is not."""
        # A web page whose name was made to resolve to this computer (DNS rebinding) sends its own name.
        if _header_values(headers, "host") not in self._hosts:
            return LinewashError(ErrorCode.FORBIDDEN_HOST)
        # Only browsers send an origin, and no web page may use this server.
        if _header_values(headers, "origin"):
            return LinewashError(ErrorCode.FORBIDDEN_ORIGIN)
        tokens = _header_values(headers, TOKEN_HEADER)
        # compare_digest takes the same time wherever the first wrong byte is.
        if len(tokens) != 1 or not hmac.compare_digest(tokens[0], self._token):
            return LinewashError(ErrorCode.BAD_TOKEN)
        if path != HELLO and _header_values(headers, VERSION_HEADER) != [b"%d" % PROTOCOL_VERSION]:
            return LinewashError(ErrorCode.VERSION_MISMATCH, "this backend speaks %d" % PROTOCOL_VERSION)
        limit = self._limit(path)
        # isdigit refuses signs and spaces; the limit of 15 digits keeps int() quick.
        if any(
            not length.isdigit() or len(length) > 15 or int(length) > limit
            for length in _header_values(headers, "content-length")
        ):
            return LinewashError(ErrorCode.REQUEST_TOO_LARGE, "more than %d bytes" % limit)
        return None

    def _limit(self, path: str) -> int:
        return self._rules.max_request_bytes if path in UPLOADS else MAX_JSON_BYTES


class _CountedBody:
    """Counts the body as it streams, and reads the rest of it before the answer is sent.

    Closing a socket that still holds unread data resets the connection, and the client could not read the error.
    """

    def __init__(self, receive: Receive, send: Send, limit: int) -> None:
        self._receive, self._send, self._limit = receive, send, limit
        self._received, self._is_complete = 0, False

    async def receive(self) -> Message:
        """The next piece of the body.  LinewashError REQUEST_TOO_LARGE beyond the limit."""
        message = await self._next()
        if self._received > self._limit:
            raise LinewashError(ErrorCode.REQUEST_TOO_LARGE, "more than %d bytes" % self._limit)
        return message

    async def send(self, message: Message) -> None:
        """Send a message; before an answer starts, read the rest of the body."""
        # For a limited time: a client that never stops sending must not hold back its answer for ever.
        until = time.monotonic() + DRAIN_S
        while message["type"] == "http.response.start" and not self._is_complete and self._received <= self._limit:
            try:
                await asyncio.wait_for(self._next(), min(SILENCE_S, until - time.monotonic()))
            except asyncio.TimeoutError:
                break
        await self._send(message)

    async def _next(self) -> Message:
        message = await self._receive()
        self._received += len(message.get("body", b""))
        self._is_complete = message["type"] != "http.request" or not message.get("more_body", False)
        return message


def _header_values(headers: Headers, name: str) -> list[bytes]:
    key = name.lower().encode("ascii")
    return [value for header, value in headers if header == key]
