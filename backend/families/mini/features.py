"""From label maps and pictures to the arrays mini's networks read; used by training and by coloring alike."""

from dataclasses import dataclass

import cv2
import numpy as np

from backend.imaging.color import lab_from_rgb
from backend.imaging.types import Bools, Floats, Gray, Labels, Rgb
from backend.networks.mini.flats import CELLS

SIDE = 256
"""Pictures are letterboxed to this square."""
GRID = SIDE // 4
"""The CNN's feature map is GRID x GRID."""


@dataclass(frozen=True)
class RegionFeatures:
    """pool: (n, GRID^2) rows that sum to 1.  geometry: (n, 14).  figure: (n,) bool, mostly inside the mask."""

    pool: Floats
    geometry: Floats
    foreground: Bools


def region_features(labels: Labels, count: int, mask: Gray) -> RegionFeatures:
    """Pooling weights and geometry of the regions in a square label map (s, s), -1 = no region; mask (s, s), 255 = figure.

    Any s: the map is used as it is, so no thin region gets lost.  Geometry: center in the picture and in the figure's bounding
    box, log areas, spreads, figure share, whether it touches the border, size, number of regions; all about -2..2.
    """
    side = labels.shape[0]
    kept = labels.ravel() >= 0
    region = labels.ravel()[kept].astype(np.int64)
    rows, columns = np.divmod(np.flatnonzero(kept), side)
    cell = (rows * GRID // side) * GRID + columns * GRID // side
    pool = np.bincount(region * GRID**2 + cell, minlength=count * GRID**2).reshape(count, GRID**2).astype(np.float32)
    pixels = np.maximum(np.bincount(region, minlength=count), 1).astype(np.float32)
    pool /= pixels[:, None]

    def mean(values: np.ndarray) -> Floats:
        return (np.bincount(region, weights=values, minlength=count) / pixels).astype(np.float32)

    x, y = (columns + 0.5) / side * 2 - 1, (rows + 0.5) / side * 2 - 1
    cx, cy = mean(x), mean(y)
    spread_x = np.sqrt(np.maximum(mean(x * x) - cx * cx, 0))
    spread_y = np.sqrt(np.maximum(mean(y * y) - cy * cy, 0))
    left, right, top, bottom, figure_area = _foreground_box(mask)
    width, height = right - left, bottom - top
    area = pixels * (SIDE / side) ** 2
    border = np.zeros(count, np.float32)
    touching = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    border[touching[touching >= 0]] = 1
    share = mean(mask.ravel()[kept] / 255.0)
    geometry = np.stack(
        [
            cx,
            cy,
            np.clip((cx - (left + right) / 2) / width * 2, -2, 2),
            np.clip((cy - (top + bottom) / 2) / height * 2, -2, 2),
            np.log(area) / 5 - 1,
            np.log(area / (figure_area * SIDE**2)) / 5,
            spread_x * 2,
            spread_y * 2,
            spread_x / width * 4,
            spread_y / height * 4,
            share,
            border,
            np.sqrt(area) / 100,
            np.full(count, min(count, 200) / 100),
        ],
        1,
    ).astype(np.float32)
    return RegionFeatures(pool, geometry, share > 0.5)


def _foreground_box(mask: Gray) -> tuple[float, float, float, float, float]:
    """left, right, top, bottom of the figure in -1..1 and its share of the picture; the whole picture when there is none."""
    inside = mask > 127
    columns, rows = np.flatnonzero(inside.any(0)), np.flatnonzero(inside.any(1))
    if not len(columns):
        return -1.0, 1.0, -1.0, 1.0, 1.0
    side = mask.shape[0]
    left, right = columns[0] / side * 2 - 1, (columns[-1] + 1) / side * 2 - 1
    top, bottom = rows[0] / side * 2 - 1, (rows[-1] + 1) / side * 2 - 1
    return left, right, top, bottom, float(inside.mean())


def cell_shares(labels: Labels, index: np.ndarray, size: int) -> Floats:
    """(CELLS^2, size) share of each palette color in each cell of a square label map (s, s), -1 = no region.

    index: (m,) palette color of each region.  Rows sum to at most 1.
    """
    side = labels.shape[0]
    rows, columns = np.divmod(np.flatnonzero(labels.ravel() >= 0), side)
    cell = (rows * CELLS // side) * CELLS + columns * CELLS // side
    color = index[labels[rows, columns]].astype(np.int64)
    counts = np.bincount(cell * size + color, minlength=CELLS**2 * size).reshape(CELLS**2, size)
    return (counts * (CELLS / side) ** 2).astype(np.float32)


def cell_colors(rgb: Rgb | Floats) -> Floats:
    """(3, CELLS, CELLS) mean colors of a square picture (s, s, 3), uint8 or 0..1, as the network reads them."""
    unit = np.float32(1 / 255 if rgb.dtype == np.uint8 else 1)
    small: Floats = cv2.resize(rgb.astype(np.float32, copy=False), (CELLS, CELLS), interpolation=cv2.INTER_AREA) * unit
    lab = lab_from_rgb(small.astype(np.float32, copy=False)) / 50
    lab[..., 0] -= 1
    return np.ascontiguousarray(lab.transpose(2, 0, 1), np.float32)


def cell_layer_weights(mask: Gray, ground: bool, figure: bool) -> Floats:
    """(CELLS^2, 2) how much each cell of a reference may give to ground and to figure; its square mask (s, s), 255 = figure.

    ground, figure: whether the picture has something to give to that side at all; if not, all of it may serve.
    """
    share = cv2.resize(mask, (CELLS, CELLS), interpolation=cv2.INTER_AREA).ravel().astype(np.float32) / 255
    ones = np.ones_like(share)
    return np.stack([1 - share if ground else ones, share if figure else ones], 1).astype(np.float32)


def stack_image_channels(lines: Gray, mask: Gray, reference: float) -> Floats:
    """(3, SIDE, SIDE) input of the CNN from lines (255 = ink) and mask, both SIDE square; reference: 1.0 or 0.0."""
    return np.stack([lines / 255.0, mask / 255.0, np.full(lines.shape, reference)]).astype(np.float32)


def region_lab(palette: Rgb | Floats, index: np.ndarray) -> Floats:
    """(m, 3) colors of the reference's regions as the network reads them: Lab / 50, L shifted by -1."""
    lab = lab_from_rgb(palette)[index] / 50
    lab[:, 0] -= 1
    return lab.astype(np.float32)


def allowed_pairs(figure: Bools, reference_figure: Bools) -> Bools:
    """(n, m): figure regions may use the reference's figure only, others its background only.

    A side that the reference does not have may use everything.
    """
    same = figure[:, None] == reference_figure[None, :]
    return same | ~same.any(1, keepdims=True)
