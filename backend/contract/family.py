"""The interface between the pipeline and a family, which implements ``ColorModel``."""

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
    """Describes a model to the docker and the command line."""

    name: str
    """The family's name, as requests and errors have it."""
    title: str
    """Its name on the screen."""
    license: str
    """Licenses of the program and of the weights, on the screen."""
    finishes: tuple[Finish, ...]
    """The finishes it offers."""
    modes: tuple[ModeInfo, ...] = ()
    """The first is the default; () = the family has no modes."""
    parameters: tuple[ParameterInfo, ...] = ()
    """What painters can set; ``families.common_parameters.resolve_parameters`` gives their values for a request."""
    reference_side: int = 512
    """Longest side, in pixels, of the references that the family gets; smaller references keep their size."""


class ForegroundSegmenter(Protocol):
    """Finds the foreground where the painter gave no mask."""

    @property
    def mask_warnings(self) -> tuple[str, ...]:
        """What the painter should know about the segmentation, one sentence each; () when all is well."""
        ...

    def segment_drawing(self, ink: Gray) -> Gray:
        """The foreground mask (H, W) in 0..255 of a drawing's ink (H, W), 255 = line, of any size."""
        ...

    def segment_reference(self, rgb: Rgb) -> Gray:
        """The foreground mask (h, w) in 0..255 of a color image (h, w, 3)."""
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
    """A loaded model.  The pipeline calls its stages in this order; each is a pure function of its arguments.

    The regions of ``drawing.fixed`` have their colors already.  A family may use them to color the other regions; it need not
    return them, because the pipeline puts them into the result.
    """

    spec: ModelSpec

    def condition(self, drawing: Drawing, request: ColorizeRequest) -> Condition:
        """Compute everything that depends on drawing and references only, without noise."""
        ...

    def denoise(self, condition: Condition, request: ColorizeRequest, on_step: ProgressCallback) -> Latent:
        """Run the diffusion with the request's seed, steps and guidance; calls ``on_step`` after every step."""
        ...

    def decode(self, condition: Condition, latent: Latent, drawing: Drawing, request: ColorizeRequest) -> Colors:
        """The colors of all regions, and the color field."""
        ...


AnyColorModel = ColorModel[Any, Any]
"""A model of any family, for code that only passes condition and latent on."""
