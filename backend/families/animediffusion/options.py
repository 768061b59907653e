"""What a painter set for AnimeDiffusion, parsed once for each request."""

from dataclasses import dataclass

from backend.families.animediffusion.spec import SPEC
from backend.families.common_parameters import resolve_parameters
from shared.protocol import ColorizeRequest


@dataclass(frozen=True)
class AnimeOptions:
    """AnimeDiffusion's own parameters.

    Steps and guidance are the request's: the same condition serves other steps and another guidance.
    """

    size: int
    """Side of the square with as many pixels as the model's image."""
    warp_reference: bool
    """Show the reference warped, as in training."""
    eta: float
    """Scale of the fresh noise in each step: 0 = none, 1 = as in DDPM."""
    sampler: str
    """``DDIM`` or ``ANCESTRAL``."""


def parse_options(request: ColorizeRequest) -> AnimeOptions:
    """The options of a request; what is not set has its default.

    Raises LinewashError BAD_SETTING: for an unknown parameter or mode, and for a value outside its range.
    """
    values = resolve_parameters(SPEC, request)
    return AnimeOptions(int(values["size"]), bool(values["bend"]), float(values["eta"]), str(values["sampler"]))
