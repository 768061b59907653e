"""JSON responses, always plain ASCII, and the body of an error response."""

import json
from typing import Any

from starlette.responses import Response

from shared.errors import LinewashError


class AsciiJSONResponse(Response):
    """A JSON body in ASCII, so that lone surrogates survive.  NaN raises ValueError instead of invalid JSON."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Encode ``content``."""
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")


def error_response(error: LinewashError) -> AsciiJSONResponse:
    """``{"error": {...}}`` with the HTTP status of the error."""
    return AsciiJSONResponse({"error": error.to_json()}, error.status)
