"""AnimeDiffusion: what a painter can set."""

from backend.contract.family import ModelSpec
from backend.families.common_parameters import REGION_PARAMETERS, steps_and_guidance
from shared.model_spec import ParameterInfo
from shared.protocol import Finish

DDIM, ANCESTRAL = "ddim", "ancestral"
MIN_SIDE, MAX_SIDE, SIDE_MULTIPLE, DEFAULT_SIDE = 64, 512, 8, 256
"""Sides of the model's image, pixels.  It was trained at 256, and a step at twice that takes a CPU six seconds already."""

_PARAMETERS = (
    ParameterInfo(
        "size",
        "Size",
        "Side of the square with as many pixels as the model paints.",
        "integer",
        DEFAULT_SIDE,
        MIN_SIDE,
        MAX_SIDE,
        SIDE_MULTIPLE,
    ),
    ParameterInfo(
        "bend",
        "Bend reference",
        "Show the reference warped, as in training: colors are copied, not places.",
        "switch",
        True,
    ),
    *steps_and_guidance(10, 1.0, advanced=False),
    ParameterInfo("eta", "Fresh noise", "How much noise comes in at each step.", "number", 1.0, 0.0, 1.0, 0.05, advanced=True),
    ParameterInfo(
        "sampler",
        "Sampler",
        "How noise is turned into an image; with every step it takes a thousand.",
        "choice",
        DDIM,
        choices=((DDIM, "DDIM"), (ANCESTRAL, "Every step")),
        advanced=True,
    ),
    *REGION_PARAMETERS,
)

SPEC = ModelSpec(
    name="animediffusion",
    title="AnimeDiffusion",
    license="of the checkpoint's maker; the published program is under MIT",
    finishes=(Finish.PAINTED, Finish.FLATS),
    parameters=_PARAMETERS,
)
