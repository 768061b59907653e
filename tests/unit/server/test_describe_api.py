"""The description of the HTTP interface in docs is the one that the code gives."""

from backend.server.describe_api import TARGET, describe_api


def test_docs_http_api_is_up_to_date() -> None:
    assert TARGET.read_text(encoding="utf-8") == describe_api(), "run python -m backend.server.describe_api"
