"""Writes docs/http_api.md from routes, messages and the table of errors.  Run ``python -m backend.server.describe_api``."""

import ast
import inspect
import itertools
import tempfile
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from enum import Enum
from pathlib import Path
from typing import Any, get_args

from fastapi.openapi.utils import get_openapi

from backend.server.app import Activity, AppState, create_app
from backend.server.dispatcher import Dispatcher
from backend.server.jobs import Jobs
from backend.server.settings import Settings
from backend.server.store import Store
from shared import protocol
from shared.devices.device_status import DeviceInfo, DeviceStatus
from shared.errors import ERRORS
from shared.protocol import ColorizeRequest, Hello, JobStatus
from shared.request_parts import RequestParts

TARGET = Path(__file__).resolve().parents[2] / "docs" / "http_api.md"
_INTRODUCTION = """\
# The HTTP interface

Made by `python -m backend.server.describe_api` from the code; do not edit it by hand.

The server listens on 127.0.0.1 at a free port. `runtime/server.json` in Linewash's data folder names the port and the key.
Every call needs the header `%s` with the key and, except for `/v1/hello`, `%s: %d`.
A client of another protocol number is answered with 426. Answers are JSON or PNG; an error is
`{"error": {"code", "message", "hint", "detail"}}` with the status of its row in the table below.
"""


def describe_api() -> str:
    """The whole text of docs/http_api.md."""
    introduction = _INTRODUCTION % (protocol.TOKEN_HEADER, protocol.VERSION_HEADER, protocol.PROTOCOL_VERSION)
    lines = [*_routes(), *_messages(), *_limits(), *_errors()]
    return (introduction + "\n" + "\n".join(lines) + "\n").replace("``", "`")


def _schema() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home))
        jobs = Jobs(Store(Path(home) / "jobs"), settings.keep_days, settings.keep_bytes)
        app = create_app(AppState(settings, jobs, Dispatcher(settings, jobs), Activity()), port=0, token="")
    return get_openapi(title="Linewash", version=protocol.PRODUCT_VERSION, routes=app.routes)


def _routes() -> Iterator[str]:
    yield "## Calls\n"
    for path, methods in _schema()["paths"].items():
        for method, operation in methods.items():
            yield f"### {method.upper()} {path}\n"
            yield " ".join(operation["description"].split()) + "\n"
            queries = [parameter for parameter in operation.get("parameters", ()) if parameter["in"] == "query"]
            for query in queries:
                schema = query["schema"]
                limits = f", {schema['minimum']:g} to {schema['maximum']:g}" if "maximum" in schema else ""
                yield f"* `{query['name']}`: {schema['type']}{limits}, default {schema.get('default')}"
            if queries:
                yield ""


def _messages() -> Iterator[str]:
    yield "## Messages\n"
    for message in (ColorizeRequest, JobStatus, Hello, DeviceStatus, DeviceInfo):
        yield f"### {message.__name__}\n"
        yield "\n".join(line.strip() for line in (message.__doc__ or "").strip().splitlines()) + "\n"
        meanings = field_docs(message)
        yield "| field | meaning | type | default |\n|---|---|---|---|"
        for field in fields(message):
            yield f"| `{field.name}` | {meanings.get(field.name, '')} | {_type(field)} | {_default(field)} |"
        yield ""
    yield "### Parts of `POST /v1/jobs`\n"
    yield "`request` comes first, as JSON (`ColorizeRequest`). The PNG parts follow in this order.\n"
    meanings = field_docs(RequestParts)
    for part in fields(RequestParts):
        yield f"* `{part.name if part.name != 'references' else 'reference0'}`: {meanings[part.name]}"
    yield ""


def _limits() -> Iterator[str]:
    yield "## Limits\n"
    yield "| name | value |\n|---|---|"
    yield from (f"| `{name}` | {value} |" for name, value in vars(protocol).items() if name.startswith(("MAX_", "MIN_")))
    yield ""


def _errors() -> Iterator[str]:
    yield "## Errors\n"
    yield "| code | status | sentence | what to do |\n|---|---|---|---|"
    yield from (f"| `{code.value}` | {text.status} | {text.message} | {text.hint} |" for code, text in ERRORS.items())


def field_docs(kind: type) -> dict[str, str]:
    """The string literal under each field of a dataclass, by the field's name, on one line."""
    (definition,) = ast.parse(inspect.getsource(kind)).body
    statements = definition.body if isinstance(definition, ast.ClassDef) else []
    docs: dict[str, str] = {}
    for field, text in itertools.pairwise(statements):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
            docs[field.target.id] = " ".join(str(ast.literal_eval(text.value)).split())
    return docs


def _type(field: "Field[Any]") -> str:
    if isinstance(field.type, type) and issubclass(field.type, Enum):
        return " or ".join(f"`{member.value}`" for member in field.type)
    if isinstance(field.type, type) and not get_args(field.type):
        return field.type.__name__
    text = str(field.type)
    for prefix in ("typing.", "shared.protocol.", "shared.errors.", "shared.devices.device_status."):
        text = text.replace(prefix, "")
    return text.replace("|", "or")


def _default(field: "Field[Any]") -> str:
    if field.default is MISSING:
        return "required" if field.default_factory is MISSING else "empty"
    value = field.default.value if isinstance(field.default, Enum) else field.default
    return f"`{value!r}`" if not hasattr(value, "items") else "empty"


if __name__ == "__main__":
    TARGET.write_text(describe_api(), encoding="utf-8")
