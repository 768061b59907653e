"""What the pipeline asks of a coloring system.  One file per system implements ``ColorModel``."""

from dataclasses import dataclass
from typing import Any, Protocol

from backend.contract.drawing import Colors, Drawing, ProgressCallback
from backend.imaging.types import Gray, Rgb
from shared.model_spec import ModeInfo, ParameterInfo
from shared.protocol import ColorizeRequest, Finish


@dataclass(frozen=True)
class ModelSpec:
    """How a family introduces itself to the docker and the command line.

    modes: the first is the usual one, () = the family colors in one way only.  parameters: what can be set in each of them;
    ``settling.flush`` gives their values for a request.  reference_side: longest side, pixels, at which references are shown
    to it; smaller ones come as they are.
    """

    name: str
    title: str
    license: str
    finishes: tuple[Finish, ...]
    modes: tuple[ModeInfo, ...] = ()
    parameters: tuple[ParameterInfo, ...] = ()
    reference_side: int = 512


class ForegroundSegmenter(Protocol):
    """Finds the figure where the painter gave no mask.  A family without one of its own takes ``registry.mask_guesser``."""

    @property
    def mask_warnings(self) -> tuple[str, ...]:
        """What the painter should know of how masks are found, a sentence each; () when all is well."""
        ...

    def guess_drawing_mask(self, ink: Gray) -> Gray:
        """(H, W) figure mask 0..255 guessed from (H, W) ink (255 = line); any size in, same size out."""
        ...

    def guess_reference_mask(self, rgb: Rgb) -> Gray:
        """(h, w) figure mask 0..255 guessed from a color picture (h, w, 3)."""
        ...


class ColorModel(ForegroundSegmenter, Protocol):
    """One loaded model.  Stages are called in this order; every one is pure given its arguments.

    ``drawing.fixed`` names regions whose color is given.  A family may let the other regions follow them; that they themselves
    come out exactly so is the pipeline's affair.
    """

    spec: ModelSpec

    def condition(self, drawing: Drawing, request: ColorizeRequest) -> Any:
        """Everything that is computed once per picture, no noise in it."""
        ...

    def denoise(self, condition: Any, request: ColorizeRequest, on_step: ProgressCallback) -> Any:
        """The diffusion: request.seed, request.steps, request.guidance; calls on_step after every step."""
        ...

    def decode(self, condition: Any, latent: Any, drawing: Drawing, request: ColorizeRequest) -> Colors:
        """Colors of the regions and of the field."""
        ...
