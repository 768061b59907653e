"""What a request settles of a family: the mode, and a value for every parameter of it."""

from backend.contract.family import ModelSpec
from shared.model_spec import ModeInfo, ParameterValues, find_mode
from shared.protocol import ColorizeRequest, resolve_values


def settled(spec: ModelSpec, request: ColorizeRequest) -> ParameterValues:
    """The value of every parameter of the request's mode, by name; what is not given has its default.

    Steps, guidance, gap and merging are among them where the family describes them; their values are the request's own.

    Raises LinewashError BAD_SETTING for an unknown mode or parameter, and for a value outside its range.
    """
    return resolve_values(request, spec.modes, spec.parameters)


def settled_mode(spec: ModelSpec, request: ColorizeRequest) -> ModeInfo | None:
    """The mode of the request, the family's first when none is named, None where it has none.  LinewashError BAD_SETTING."""
    return find_mode(spec.modes, request.mode)
