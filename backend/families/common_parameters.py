"""Parameters of the last stage, which every family shares: how the drawing is cut into parts."""

from shared.model_spec import ParameterInfo
from shared.protocol import ColorizeRequest

_USUAL = ColorizeRequest(64, 64, ())

REGION_PARAMETERS = (
    ParameterInfo(
        "gap",
        "Close gaps",
        "Widest gap in a line that is closed, as a share of the shorter side.",
        "number",
        _USUAL.gap,
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
        _USUAL.merging,
        0.0,
        8.0,
        0.25,
        advanced=True,
    ),
)


def steps_and_guidance(steps: int, guidance: float, advanced: bool) -> tuple[ParameterInfo, ...]:
    """With a family's own defaults."""
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
