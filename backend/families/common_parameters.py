"""What every family shares of its parameters: those of the last stage, and their values for a request."""

from backend.contract.family import ModelSpec
from shared.model_spec import ModeInfo, ParameterInfo, ParameterValues, find_mode
from shared.protocol import ColorizeRequest, resolve_values

_DEFAULTS = ColorizeRequest(64, 64, ())
"""A request in which nothing is set; its size does not matter."""

REGION_PARAMETERS = (
    ParameterInfo(
        "gap",
        "Close gaps",
        "Widest gap in a line that is closed, as a share of the shorter side.",
        "number",
        _DEFAULTS.gap,
        0.0,
        0.1,
        0.01,
        advanced=True,
    ),
    ParameterInfo(
        "merging",
        "Join parts",
        "How small parts must be to take the color of one beside them, times the usual.",
        "number",
        _DEFAULTS.merging,
        0.0,
        8.0,
        0.25,
        advanced=True,
    ),
)
"""How the last stage cuts a drawing into regions."""


def steps_and_guidance(steps: int, guidance: float, advanced: bool) -> tuple[ParameterInfo, ...]:
    """The parameters ``steps`` and ``guidance`` with a family's own defaults."""
    return (
        ParameterInfo(
            "steps", "Steps", "In how many steps the picture is painted.", "integer", steps, 1, 200, 1, advanced=advanced
        ),
        ParameterInfo(
            "guidance",
            "Guidance",
            "Pushes the picture towards the reference; 1 = off.",
            "number",
            guidance,
            1.0,
            20.0,
            0.5,
            advanced=advanced,
        ),
    )


def resolve_parameters(spec: ModelSpec, request: ColorizeRequest) -> ParameterValues:
    """The value of every parameter of the request's mode, by name; a parameter that is not set has its default.

    Steps, guidance, gap and merging are among them where the family describes them; their values are the request's own.

    Raises LinewashError BAD_SETTING for an unknown mode or parameter, and for a value outside its range.
    """
    return resolve_values(request, spec.modes, spec.parameters)


def resolve_mode(spec: ModelSpec, request: ColorizeRequest) -> ModeInfo | None:
    """The mode of the request: the family's first when none is named, None where it has none.  LinewashError BAD_SETTING."""
    return find_mode(spec.modes, request.mode)
