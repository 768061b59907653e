"""JSON answers, plain ASCII whatever is in them, and errors as the body every client understands."""

import json
from typing import Any

from starlette.responses import Response

from shared.errors import LinewashError


class AsciiJSONResponse(Response):
    """A JSON body; a lone surrogate or a NaN in it can neither break the answer nor the client."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """ASCII JSON."""
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")


def error_response(error: LinewashError) -> AsciiJSONResponse:
    """``{"error": {...}}`` with the status of the error's row."""
    return AsciiJSONResponse({"error": error.to_json()}, error.status)
