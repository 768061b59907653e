"""``--set NAME=VALUE`` of the command line, read with the model's own description."""

from collections.abc import Mapping, Sequence

import typer

from shared.client import Client
from shared.describing import Value, find_mode
from shared.errors import ErrorCode, LinewashError
from shared.protocol import SETTABLE, ColorizeRequest, with_values

USUAL_MODEL = ColorizeRequest(64, 64, ()).model


def with_settings(client: Client, request: ColorizeRequest, own: Mapping[str, Value], texts: Sequence[str]) -> ColorizeRequest:
    """The request with values of parameters from texts like ``strength=0.5``.

    own: the fields in ``SETTABLE`` that were given; the others get the model's default where it describes them.  Nobody is
    asked for the model that comes with the program when there is nothing to be read.  Raises typer.BadParameter for a text of
    another form; LinewashError UNKNOWN_MODEL, and BAD_REQUEST for a mode, a parameter or a value the model does not have.
    """
    if not texts and request.model == USUAL_MODEL:
        return with_values(request, own)
    described = next((each for each in client.models() if each.name == request.model), None)
    if described is None:
        raise LinewashError(ErrorCode.UNKNOWN_MODEL, request.model)
    chosen = find_mode(described.modes, request.mode)
    known = {each.name: each for each in described.parameters if each.belongs_to(chosen.name if chosen else "")}
    values: dict[str, Value] = {name: info.default for name, info in known.items() if name in SETTABLE} | dict(own)
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator:
            raise typer.BadParameter(f"{text} is not of the form NAME=VALUE")
        if name not in known:
            raise LinewashError(ErrorCode.BAD_REQUEST, f"{name} is none of: {', '.join(known) or '(nothing can be set)'}")
        values[name] = known[name].read(value)
    return with_values(request, values)
