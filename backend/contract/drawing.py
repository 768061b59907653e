"""What the stages hand to each other.  All frozen; a stage never changes what it was given."""

from collections.abc import Callable
from dataclasses import dataclass

from backend.imaging.edits.selection import SelectionSplit
from backend.imaging.types import NO_FIXED_REGIONS, FixedRegions, Floats, Gray, Regions, Rgb, Rgba
from shared.protocol import ColorizeRequest, ReferenceRole
from shared.stages import Stage


@dataclass(frozen=True)
class Inputs:
    """The decoded request.

    lines: (H, W, 4) uint8, the line layer as the painter has it (opaque or transparent).  references: (h, w, 4) uint8 each,
    any size, in the order of ``request.references``.  foreground: (H, W) uint8 mask, 255 = figure; None = automatic.
    hints: (H, W, 4) uint8, spots of color where alpha is above 0, or None.  region: (H, W) uint8, 255 = to be recolored,
    None = everything; ``previous`` comes with it.
    """

    request: ColorizeRequest
    lines: Rgba
    references: tuple[Rgba, ...]
    foreground: Gray | None
    hints: Rgba | None = None
    selection: Gray | None = None
    previous: "PreviousResult | None" = None


@dataclass(frozen=True)
class PreviousResult:
    """The layers of an earlier result, (H, W, 4) uint8 each, as the painter has painted them over."""

    foreground: Rgba
    background: Rgba


@dataclass(frozen=True)
class Reference:
    """One reference made ready: rgb (h, w, 3) uint8 on white, no larger than the family wants it; mask (h, w), 255 = figure."""

    rgb: Rgb
    mask: Gray
    role: ReferenceRole


@dataclass(frozen=True)
class SelectionEdit:
    """A selection that alone may change.  cut: which regions lie in it.  selection: (H, W) uint8, 0 = stays byte for byte."""

    split: SelectionSplit
    selection: Gray
    previous: PreviousResult


@dataclass(frozen=True)
class Drawing:
    """What ``prepare`` makes of the inputs.

    ink: (H, W) uint8 at canvas size, 0 = paper .. 255 = full line.  mask: (H, W) uint8 at canvas size, 255 = figure,
    anti-aliased.  regions: the drawing's regions at working size (longest side 1024, or shorter side 256 if
    that is more; never above the canvas).  fixed: regions whose color is not the model's to choose, though what it chooses for
    the others may follow them; the last stage puts these colors in whatever the model says.  recoloring: what may change of
    an earlier result, None = everything is new.
    """

    ink: Gray
    mask: Gray
    regions: Regions
    references: tuple[Reference, ...]
    warnings: tuple[str, ...] = ()
    fixed: FixedRegions = NO_FIXED_REGIONS
    selection_edit: SelectionEdit | None = None


@dataclass(frozen=True)
class Colors:
    """What ``decode`` makes of the model's answer.

    flats: (count, 3) uint8 sRGB, one color for each region of ``Drawing.regions``.  field: (h, w, 3) float32 sRGB 0..1 over
    the whole canvas at model size, or None for the flats finish.  warnings: what the painter should know of how they came
    about, a sentence each.
    """

    flats: Rgb
    field: Floats | None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class ResultLayers:
    """The answer at canvas size, (H, W, 4) uint8 each.

    foreground: alpha = the mask.  background: opaque and complete behind the figure.  composite: foreground over background,
    opaque; equals 8-bit compositing of the two to within 1.  lines: the ink in black on transparency, where it is not what the
    line layer shows.
    """

    foreground: Rgba
    background: Rgba
    composite: Rgba
    lines: Rgba | None = None


@dataclass(frozen=True)
class StepProgress:
    """Progress of one stage: step of steps, and (h, w, 3) uint8 preview of at most 256 px when there is one."""

    stage: Stage
    step: int = 0
    steps: int = 0
    preview: Rgb | None = None


ProgressCallback = Callable[[StepProgress], None]
"""Called at the start of every stage and after every denoising step; raises ``Cancelled`` to stop there."""


class Cancelled(Exception):
    """The painter cancelled; raised by ``ProgressCallback`` and let through by every stage."""
