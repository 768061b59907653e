"""``--set NAME=VALUE`` of the command line, read with the model's own description."""

from collections.abc import Sequence

import typer

from shared.client import Client
from shared.describing import Value, find_mode
from shared.errors import ErrorCode, LinewashError


def read_settings(client: Client, model: str, mode: str, texts: Sequence[str]) -> dict[str, Value]:
    """The values of parameters by name, from texts like ``strength=0.5``; without texts nobody is asked.

    Raises typer.BadParameter for a text of another form; LinewashError UNKNOWN_MODEL, and BAD_REQUEST for a mode, a parameter
    or a value the model does not have.
    """
    if not texts:
        return {}
    described = next((each for each in client.models() if each.name == model), None)
    if described is None:
        raise LinewashError(ErrorCode.UNKNOWN_MODEL, model)
    chosen = find_mode(described.modes, mode)
    known = {each.name: each for each in described.parameters if each.belongs_to(chosen.name if chosen else "")}
    values: dict[str, Value] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator:
            raise typer.BadParameter(f"{text} is not of the form NAME=VALUE")
        if name not in known:
            raise LinewashError(ErrorCode.BAD_REQUEST, f"{name} is none of: {', '.join(known) or '(nothing can be set)'}")
        values[name] = known[name].read(value)
    return values
