"""The values that the stages of the pipeline pass on.  All are frozen; no stage changes its arguments."""

from collections.abc import Callable
from dataclasses import dataclass

from backend.imaging.edits.selection import SelectionSplit
from backend.imaging.types import NO_FIXED_REGIONS, FixedRegions, Floats, Gray, Regions, Rgb, Rgba
from shared.protocol import ColorizeRequest, ReferenceRole
from shared.stages import Stage


@dataclass(frozen=True)
class Inputs:
    """The decoded request."""

    request: ColorizeRequest
    """The painter's wishes; its parts are the images below."""
    lines: Rgba
    """(H, W, 4) uint8, the line layer as in the document, opaque or transparent."""
    references: tuple[Rgba, ...]
    """(h, w, 4) uint8 each, any size, in the order of ``request.references``."""
    foreground: Gray | None
    """(H, W) uint8 mask, 255 = foreground; None = to be segmented.  ``request.foreground`` says whether it is everything."""
    hints: Rgba | None = None
    """(H, W, 4) uint8, strokes of color where alpha is above 0."""
    selection: Gray | None = None
    """(H, W) uint8, 255 = to be colored anew; None = everything.  ``previous`` comes with it."""
    previous: "PreviousResult | None" = None
    """The result that a selection is recolored in."""


@dataclass(frozen=True)
class PreviousResult:
    """The layers of a previous result, (H, W, 4) uint8 each, with whatever the painter has changed in them."""

    foreground: Rgba
    """The upper layer."""
    background: Rgba
    """The lower layer."""


@dataclass(frozen=True)
class Reference:
    """One reference, as models see it."""

    rgb: Rgb
    """(h, w, 3) uint8 on white, at most ``ModelSpec.reference_side`` long."""
    mask: Gray
    """(h, w) uint8, 255 = foreground."""
    role: ReferenceRole
    """Whether foreground, background or both take their colors from it."""
    size: tuple[int, int]
    """Height and width that it came with; models that learned with sizes are told this one."""


@dataclass(frozen=True)
class SelectionEdit:
    """A request that colors a selection of a previous result anew; nothing else may change."""

    split: SelectionSplit
    """The regions split by the selection, and which of them lie in it."""
    selection: Gray
    """(H, W) uint8; where it is 0, both layers keep their bytes."""
    previous: PreviousResult
    """Its layers are as large as the canvas."""


@dataclass(frozen=True)
class Drawing:
    """The prepared inputs: everything that a model sees of one request."""

    ink: Gray
    """(H, W) uint8 at canvas size, 0 = paper .. 255 = full line."""
    mask: Gray
    """(H, W) uint8 at canvas size, 255 = foreground, anti-aliased."""
    regions: Regions
    """At working size: longest side 1024, or shorter side 256 if that is more; never above the canvas."""
    references: tuple[Reference, ...]
    """In the order of the request."""
    warnings: tuple[str, ...] = ()
    """What the painter should know about the preparation, one sentence each."""
    fixed: FixedRegions = NO_FIXED_REGIONS
    """Regions whose color is given.  A model may color others to match; the last stage puts these colors into the result."""
    selection_edit: SelectionEdit | None = None
    """The part of a previous result that may change; None = everything is new."""


@dataclass(frozen=True)
class Colors:
    """The colors that ``ColorModel.decode`` gives."""

    flats: Rgb
    """(count, 3) uint8 sRGB, one color for each region of ``Drawing.regions``."""
    field: Floats | None
    """(h, w, 3) float32 sRGB 0..1 over the whole canvas at model size, or None for the flats finish."""
    warnings: tuple[str, ...] = ()
    """What the painter should know about the coloring, one sentence each."""


@dataclass(frozen=True)
class ResultLayers:
    """The layers at canvas size, (H, W, 4) uint8 each."""

    foreground: Rgba
    """Its alpha is the mask."""
    background: Rgba
    """Opaque, and complete behind the foreground."""
    composite: Rgba
    """Foreground over background, opaque; equals 8-bit compositing of the two to within 1."""
    lines: Rgba | None = None
    """The ink in black on transparency, where it is not what the line layer shows."""


@dataclass(frozen=True)
class StepProgress:
    """How far a job is."""

    stage: Stage
    """The one that is running."""
    step: int = 0
    """Finished steps of the stage, of ``steps``."""
    steps: int = 0
    """All steps of the stage; 0 = it has none."""
    preview: Rgb | None = None
    """(h, w, 3) uint8, at most 256 px, when there is one."""


ProgressCallback = Callable[[StepProgress], None]
"""Called at the start of every stage and after every denoising step; raises ``CancelledError`` to stop there."""


class CancelledError(Exception):
    """The painter cancelled; raised by ``ProgressCallback`` and let through by every stage."""
