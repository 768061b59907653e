"""Flat shapes laid over one another, rasterized to exact colors, lines and mask."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.imaging.types import Rgb
from backend.training.synthetic.render.curves import Points
from backend.training.synthetic.render.relief import PartMaps, shade_drawing
from backend.training.synthetic.render.shading import MATERIAL_KINDS, Shading
from backend.training.synthetic.types import View

FRACTION_BITS = 4
"""Of OpenCV's fixed-point coordinates: steps of 1/16 pixel."""
SUPERSAMPLING = 2
"""Shapes are drawn so many times larger, and averaged."""
KIND_BY_MATERIAL = {
    **dict.fromkeys(("skin", "blush", "lips"), "skin"),
    **dict.fromkeys(("hair", "hair_light", "hair_dark", "streak"), "hair"),
}
"""Kind of a material, for its shade; all other materials are cloth."""
FEATURE_MATERIALS = ("eye", "iris", "iris_dark", "iris_light", "ink", "brow", "mouth", "tongue", "lips", "glass", "blush")
"""Materials that are painted on a surface and are no parts of their own."""


@dataclass(frozen=True)
class Shape:
    """A filled outline."""

    points: Points
    """The outline, (N, 2)."""
    material: str
    """Name of a color in the palette."""
    width: float
    """Line width in drawing units; 0 = no line."""
    clip: int | None = None
    """Index of the shape that this one is kept inside."""
    solid: bool = False
    """Whether the shape is black in the line art, too (lashes, pupils)."""


@dataclass(frozen=True)
class Stroke:
    """A line that encloses nothing: a fold, a strand of hair, a nose."""

    points: Points
    """The line, (N, 2)."""
    width: float
    """Line width in drawing units."""
    clip: int | None = None
    """Index of the shape that the line is kept inside."""


@dataclass
class Sheet:
    """A drawing as a stack of shapes and strokes."""

    items: list[Shape | Stroke] = field(default_factory=list[Shape | Stroke])
    """Lowest first."""

    def fill(self, points: Points, material: str, width: float = 0.0, clip: int | None = None, solid: bool = False) -> int:
        """Put a shape on top; returns its index, to which others can be clipped."""
        self.items.append(Shape(points, material, width, clip, solid))
        return len(self.items) - 1

    def stroke(self, points: Points, width: float, clip: int | None = None) -> None:
        """Put a line on top."""
        self.items.append(Stroke(points, width, clip))

    def transform(self, start: int, matrix: NDArray[np.float64]) -> None:
        """Apply a 2x3 affine matrix to all items from index `start` on."""
        for i in range(start, len(self.items)):
            item = self.items[i]
            points = item.points @ matrix[:, :2].T + matrix[:, 2]
            if isinstance(item, Shape):
                self.items[i] = Shape(points, item.material, item.width, item.clip, item.solid)
            else:
                self.items[i] = Stroke(points, item.width, item.clip)

    def bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Lowest and highest (x, y) of all shapes."""
        points = np.vstack([item.points for item in self.items if isinstance(item, Shape)])
        return points.min(0), points.max(0)


def to_fixed_point(points: Points) -> NDArray[np.int32]:
    """Points as OpenCV's fixed-point integers.  In drawings pixel centers lie at half coordinates."""
    return np.clip(np.round((points - 0.5) * (1 << FRACTION_BITS)), -(2**20), 2**20).astype(np.int32)


def touched_window(points: Points, margin: int, size: int) -> tuple[slice, slice] | None:
    """Rows and columns of a size x size image that the points may touch with a margin in pixels; None when outside."""
    low = np.clip(np.floor(points.min(0)) - margin - 1, 0, size).astype(int)
    high = np.clip(np.ceil(points.max(0)) + margin + 2, 0, size).astype(int)
    if (high <= low).any():
        return None
    return slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))


class RasterBuffers:
    """The images (n, n) that shapes and strokes are drawn into.

    ids: 1 + index of the topmost item.  part: 1 + index of the surface below all features and patterns.  line: 255 paper,
    0 ink.  crease: 255 beside folds.  root: by item, 1 + index of the outermost shape that it is clipped to.

    names: of the materials.  faint: gray of a stroke.  beside: width of the crease beside a fold, pixels; 0 = none.
    """

    def __init__(self, n: int, names: Sequence[str], items: int, faint: int, beside: int) -> None:
        self.ids, self.part = np.zeros((n, n), np.int16), np.zeros((n, n), np.int16)
        self.line, self.crease = np.full((n, n), 255, np.uint8), np.zeros((n, n), np.uint8)
        self.names, self.faint, self.beside = list(names), faint, beside
        self.material = np.zeros(items + 1, np.int32)
        self.root = np.arange(items + 1, dtype=np.int16)

    def draw_item(self, index: int, item: Shape | Stroke, placed: Points, thick: int) -> None:
        """Draw item number `index` on top.  placed: its points in pixels; thick: width of its line in pixels."""
        window = touched_window(placed, max(thick, self.beside), len(self.ids))
        if window is None:
            return
        points = [to_fixed_point(placed - [window[1].start, window[0].start])]
        ink = self.line[window]
        # Clipped items appear only where the shape they belong to is still the topmost one.
        inside = None if item.clip is None else self.root[self.ids[window]] == item.clip + 1
        before = ink.copy()
        if isinstance(item, Shape):
            self._fill(index, item, window, points, inside)
        elif self.beside:
            fold = np.zeros(ink.shape, np.uint8)
            cv2.polylines(fold, points, False, 255, self.beside, cv2.LINE_8, FRACTION_BITS)
            self.crease[window][(fold > 0) & (True if inside is None else inside)] = 255
        if item.width > 0:
            outline = ink.copy()
            closed = isinstance(item, Shape)
            cv2.polylines(outline, points, closed, 0 if closed else self.faint, thick, cv2.LINE_AA, FRACTION_BITS)
            # The darker one wins, so that a faint stroke does not lighten a dark line that it crosses.
            ink[:] = np.minimum(ink, outline)
        if inside is not None:
            ink[~inside] = before[~inside]

    def _fill(
        self,
        index: int,
        item: Shape,
        window: tuple[slice, slice],
        points: list[NDArray[np.int32]],
        inside: NDArray[np.bool_] | None,
    ) -> None:
        self.material[index + 1] = self.names.index(item.material)
        ink = self.line[window]
        cover = np.zeros(ink.shape, np.uint8)
        cv2.fillPoly(cover, points, 1, cv2.LINE_8, FRACTION_BITS)
        filled = cover > 0
        if inside is not None:
            filled &= inside
            self.root[index + 1] = self.root[(item.clip or 0) + 1]
        self.ids[window][filled] = index + 1
        surface = self.root[index + 1]
        feature = item.material in FEATURE_MATERIALS or self.names[self.material[surface]] in FEATURE_MATERIALS
        # A pattern keeps the lines of its cloth; everything else hides the lines below.
        if inside is None or feature:
            ink[filled] = 255
        if item.solid:
            ink[filled] = 0
        if not feature:
            self.part[window][filled] = surface
            if inside is None:
                self.crease[window][filled] = 0

    def part_maps(self, size: int, camera: NDArray[np.float64]) -> PartMaps:
        """The maps that shading needs, at size x size pixels.  camera: 2x3, drawing units to pixels of that size."""
        kinds = np.array([MATERIAL_KINDS.index(KIND_BY_MATERIAL.get(name, "cloth")) for name in self.names], np.uint8)[
            self.material
        ]
        features = np.array([name in FEATURE_MATERIALS for name in self.names])[self.material]
        # What is clipped to an eye or a mouth belongs to it.
        features |= features[self.root]
        features[0] = False
        # Numbers of items have no mean, so one pixel stands for all of its cell.
        step = len(self.ids) // size
        ids = np.ascontiguousarray(self.ids[::step, ::step])
        part = np.ascontiguousarray(self.part[::step, ::step])
        return PartMaps(part, kinds[ids], features[ids], downsample(self.crease, size), camera)


def rasterize(sheet: Sheet, palette: Mapping[str, Rgb], camera: NDArray[np.float64], size: int, shading: Shading) -> View:
    """Draw the sheet.  camera: 2x3, drawing units to pixels of a size x size image."""
    matrix = camera * SUPERSAMPLING
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    names = sorted(palette)
    beside = max(1, round(0.07 * scale)) if shading.folds else 0
    plates = RasterBuffers(size * SUPERSAMPLING, names, len(sheet.items), round(255 * (1 - shading.inner_darkness)), beside)
    for index, item in enumerate(sheet.items):
        plates.draw_item(index, item, item.points @ matrix[:, :2].T + matrix[:, 2], max(1, round(item.width * scale)))
    # The foreground is the filled shapes with the outer half of their lines.
    mask = downsample(((plates.ids > 0) | (plates.line < 128)).astype(np.uint8) * 255, size)
    line = downsample(plates.line, size)
    colors = np.stack([palette[name] for name in names])[plates.material]
    colors[0] = 255
    rgb = shade_drawing(downsample(np.take(colors, plates.ids, axis=0), size), plates.part_maps(size, camera), shading)
    draw_outlines(rgb, line, shading.outline_darkness)
    rgb[mask == 0] = 255
    return View(rgb, line, mask)


def draw_outlines(rgb: Rgb, line: NDArray[np.uint8], darkness: float) -> None:
    """Draw the lines into the colors (in place), each in a dark shade of the darkest paint that it touches."""
    nearest = np.asarray(cv2.erode(rgb, np.ones((3, 3), np.uint8)), np.uint8)
    inked = line < 255
    ink = (255 - line[inked].astype(np.float32))[:, None] / 255.0
    rgb[inked] = rgb[inked] * (1 - ink) + nearest[inked] * ((1 - darkness) * ink)


def downsample(image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """The image at size x size pixels, each the mean of the pixels that it covers."""
    return np.asarray(cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
