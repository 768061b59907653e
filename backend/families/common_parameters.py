"""Parameters that families share, and the values of all parameters for a request."""

from backend.contract.family import ModelSpec
from shared.model_spec import ModeInfo, ParameterInfo, ParameterValues, find_mode
from shared.protocol import ColorizeRequest, resolve_values

_DEFAULTS = ColorizeRequest(64, 64, ())
"""A request in which nothing is set; its size does not matter."""

REGION_PARAMETERS = (
    ParameterInfo(
        "gap",
        "Close gaps",
        "Widest gap in a line that is closed, as a share of the drawing's shorter side.",
        "number",
        _DEFAULTS.gap,
        0.0,
        0.1,
        0.01,
        advanced=True,
    ),
    ParameterInfo(
        "merging",
        "Join regions",
        "Up to which size small regions take the color of a neighbor, as a multiple of the usual size.",
        "number",
        _DEFAULTS.merging,
        0.0,
        8.0,
        0.25,
        advanced=True,
    ),
)
"""How a drawing is cut into regions."""


def steps_and_guidance(steps: int, guidance: float, advanced: bool) -> tuple[ParameterInfo, ...]:
    """The parameters ``steps`` and ``guidance`` with a family's own defaults."""
    return (
        ParameterInfo("steps", "Steps", "Number of denoising steps.", "integer", steps, 1, 200, 1, advanced=advanced),
        ParameterInfo(
            "guidance",
            "Guidance",
            "Pushes the result towards the reference; 1 = off.",
            "number",
            guidance,
            1.0,
            20.0,
            0.5,
            advanced=advanced,
        ),
    )


def resolve_parameters(spec: ModelSpec, request: ColorizeRequest) -> ParameterValues:
    """The value of every parameter of the request's mode, by name: the request's own, or else the default.

    Where the family describes steps, guidance, gap and merging, their values are the fields of the request.

    Raises LinewashError BAD_SETTING for an unknown mode or parameter, and for a value outside its range.
    """
    return resolve_values(request, spec.modes, spec.parameters)


def resolve_mode(spec: ModelSpec, request: ColorizeRequest) -> ModeInfo | None:
    """The request's mode: the family's first when none is named, None where it has no modes.  LinewashError BAD_SETTING."""
    return find_mode(spec.modes, request.mode)
