"""``--set NAME=VALUE`` of the command line, parsed with the model's spec."""

from collections.abc import Mapping, Sequence

from shared.client import Client
from shared.errors import ErrorCode, LinewashError
from shared.model_spec import Value, parse_assignments
from shared.protocol import ColorizeRequest, default_values, replace_parameters

DEFAULT_MODEL = ColorizeRequest(64, 64, ()).model
"""The shipped model."""


def set_parameters(
    client: Client, request: ColorizeRequest, fields: Mapping[str, Value], texts: Sequence[str]
) -> ColorizeRequest:
    """The request with parameters from texts like ``strength=0.5``.

    fields: those of ``REQUEST_PARAMETERS`` that have a value; the model's own defaults apply to the rest.  For the shipped
    model without texts the backend is not asked.  LinewashError UNKNOWN_MODEL, or BAD_SETTING for a text of another form and
    for a mode, a parameter or a value that the model does not have.
    """
    if not texts and request.model == DEFAULT_MODEL:
        return replace_parameters(request, fields)
    model = next((each for each in client.models() if each.name == request.model), None)
    if model is None:
        raise LinewashError(ErrorCode.UNKNOWN_MODEL, request.model)
    values = default_values(model.modes, model.parameters, request.mode) | dict(fields)
    return replace_parameters(request, values | parse_assignments(model.modes, model.parameters, request.mode, texts))
