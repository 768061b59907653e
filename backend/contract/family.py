"""What the pipeline asks of a coloring system, which implements ``ColorModel``."""

from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from backend.contract.drawing import Colors, Drawing, ProgressCallback
from backend.imaging.types import Gray, Rgb
from shared.model_spec import ModeInfo, ParameterInfo
from shared.protocol import ColorizeRequest, Finish

Condition = TypeVar("Condition")
"""What a family computes once for each drawing and reference."""
Latent = TypeVar("Latent")
"""What a family denoises."""


@dataclass(frozen=True)
class ModelSpec:
    """How a family introduces itself to the docker and the command line."""

    name: str
    title: str
    license: str
    finishes: tuple[Finish, ...]
    modes: tuple[ModeInfo, ...] = ()
    """The first is the default; () = the family colors in one way only."""
    parameters: tuple[ParameterInfo, ...] = ()
    """What can be set; ``families.common_parameters.resolve_parameters`` gives their values for a request."""
    reference_side: int = 512
    """Longest side, in pixels, at which references are shown to the family; smaller ones keep their size."""


class ForegroundSegmenter(Protocol):
    """Finds the foreground where the painter gave no mask."""

    @property
    def mask_warnings(self) -> tuple[str, ...]:
        """What the painter should know of how masks are found, a sentence each; () when all is well."""
        ...

    def segment_drawing(self, ink: Gray) -> Gray:
        """(H, W) foreground mask 0..255 for ink (H, W), 255 = line; any size in, the same size out."""
        ...

    def segment_reference(self, rgb: Rgb) -> Gray:
        """(h, w) foreground mask 0..255 for a color image (h, w, 3)."""
        ...


class DelegatesSegmentation:
    """Delegates foreground segmentation to another segmenter.  A base class for families that have none of their own."""

    def __init__(self, segmenter: ForegroundSegmenter) -> None:
        self._segmenter = segmenter

    @property
    def mask_warnings(self) -> tuple[str, ...]:
        """See ``ForegroundSegmenter``."""
        return self._segmenter.mask_warnings

    def segment_drawing(self, ink: Gray) -> Gray:
        """See ``ForegroundSegmenter``."""
        return self._segmenter.segment_drawing(ink)

    def segment_reference(self, rgb: Rgb) -> Gray:
        """See ``ForegroundSegmenter``."""
        return self._segmenter.segment_reference(rgb)


class ColorModel(ForegroundSegmenter, Protocol[Condition, Latent]):
    """One loaded model.  Its stages are called in this order; each is a pure function of its arguments.

    The colors of ``drawing.fixed`` are given.  A family may let the other regions follow them; the pipeline puts them into the
    result, so a family need not.
    """

    spec: ModelSpec

    def condition(self, drawing: Drawing, request: ColorizeRequest) -> Condition:
        """Everything that is computed once for each drawing and reference, without noise."""
        ...

    def denoise(self, condition: Condition, request: ColorizeRequest, on_step: ProgressCallback) -> Latent:
        """The diffusion, with the request's seed, steps and guidance; calls ``on_step`` after every step."""
        ...

    def decode(self, condition: Condition, latent: Latent, drawing: Drawing, request: ColorizeRequest) -> Colors:
        """Colors of the regions and of the field."""
        ...


AnyColorModel = ColorModel[Any, Any]
"""A model of a family that is not known where it is used: condition and latent are only handed on."""
