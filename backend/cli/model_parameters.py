"""``--set NAME=VALUE`` of the command line, read with the model's own description."""

from collections.abc import Mapping, Sequence

from shared.client import Client
from shared.errors import ErrorCode, LinewashError
from shared.model_spec import Value, parse_assignments
from shared.protocol import ColorizeRequest, default_values, replace_parameters

USUAL_MODEL = ColorizeRequest(64, 64, ()).model


def with_settings(client: Client, request: ColorizeRequest, own: Mapping[str, Value], texts: Sequence[str]) -> ColorizeRequest:
    """The request with values of parameters from texts like ``strength=0.5``.

    own: the fields in ``REQUEST_PARAMETERS`` that were given; the others get the model's default where it describes them.
    Nobody is
    asked for the model that comes with the program when there is nothing to be read.  Raises LinewashError UNKNOWN_MODEL, and
    BAD_SETTING for a text of another form and for a mode, a parameter or a value the model does not have.
    """
    if not texts and request.model == USUAL_MODEL:
        return replace_parameters(request, own)
    described = next((each for each in client.models() if each.name == request.model), None)
    if described is None:
        raise LinewashError(ErrorCode.UNKNOWN_MODEL, request.model)
    values = default_values(described.modes, described.parameters, request.mode) | dict(own)
    return replace_parameters(request, values | parse_assignments(described.modes, described.parameters, request.mode, texts))
