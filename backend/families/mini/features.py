"""Turns label maps and images into the arrays that mini's networks read, in training and in use alike."""

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from backend.imaging.color import lab_from_rgb
from backend.imaging.types import Bools, Floats, Gray, Labels, Rgb
from backend.networks.mini.flats import CELLS

SIDE = 256
"""Images are letterboxed to a square of this side, pixels."""
GRID = SIDE // 4
"""The flats network's feature map, and the painted finish's color field, is GRID x GRID."""


@dataclass(frozen=True)
class RegionFeatures:
    """What the flats network reads of n regions."""

    pool: Floats
    """(n, GRID^2) share of each region in each feature cell; rows sum to 1."""
    geometry: Floats
    """(n, 14), see ``region_features``."""
    foreground: Bools
    """(n,) True where most of a region is inside the mask."""


def region_features(labels: Labels, count: int, mask: Gray) -> RegionFeatures:
    """Pooling weights and geometry of the regions in a square label map (s, s), -1 = no region; mask (s, s), 255 = foreground.

    Any s: the map is not resized, so no thin region gets lost.  Geometry: center in the image and in the foreground's bounding
    box, log areas, spreads, share of foreground, whether it touches the border, size, number of regions; all about -2..2.
    """
    side = labels.shape[0]
    inside = labels.ravel() >= 0
    region = labels.ravel()[inside].astype(np.int64)
    rows, columns = np.divmod(np.flatnonzero(inside), side)
    # every sum over a region is one bincount over pixels, which is much faster than a loop over regions
    cell = (rows * GRID // side) * GRID + columns * GRID // side
    pool = np.bincount(region * GRID**2 + cell, minlength=count * GRID**2).reshape(count, GRID**2).astype(np.float32)
    pixels = np.maximum(np.bincount(region, minlength=count), 1).astype(np.float32)
    pool /= pixels[:, None]

    def mean(values: np.ndarray) -> Floats:
        return (np.bincount(region, weights=values, minlength=count) / pixels).astype(np.float32)

    x, y = (columns + 0.5) / side * 2 - 1, (rows + 0.5) / side * 2 - 1
    cx, cy = mean(x), mean(y)
    # Rounding may take the variance of a thin region below 0.
    spread_x = np.sqrt(np.maximum(mean(x * x) - cx * cx, 0))
    spread_y = np.sqrt(np.maximum(mean(y * y) - cy * cy, 0))
    box = _foreground_box(mask)
    width, height = box.right - box.left, box.bottom - box.top
    area = pixels * (SIDE / side) ** 2
    border = np.zeros(count, np.float32)
    touching = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    border[touching[touching >= 0]] = 1
    share = mean(mask.ravel()[inside] / 255.0)
    # The network encodes the first four as positions, see ``GEOMETRY_FEATURES``; the factors bring all to about -2..2.
    geometry = np.stack(
        [
            cx,
            cy,
            np.clip((cx - (box.left + box.right) / 2) / width * 2, -2, 2),
            np.clip((cy - (box.top + box.bottom) / 2) / height * 2, -2, 2),
            np.log(area) / 5 - 1,
            np.log(area / (box.share * SIDE**2)) / 5,
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


class _ForegroundBox(NamedTuple):
    """The bounding box of the foreground, in -1..1 over the image."""

    left: float
    right: float
    top: float
    bottom: float
    share: float
    """Of the image that is foreground."""


def _foreground_box(mask: Gray) -> _ForegroundBox:
    """Of a square mask, 255 = foreground; the whole image when there is no foreground."""
    inside = mask > 127
    columns, rows = np.flatnonzero(inside.any(0)), np.flatnonzero(inside.any(1))
    if not len(columns):
        return _ForegroundBox(-1.0, 1.0, -1.0, 1.0, 1.0)
    side = mask.shape[0]
    left, right = columns[0] / side * 2 - 1, (columns[-1] + 1) / side * 2 - 1
    top, bottom = rows[0] / side * 2 - 1, (rows[-1] + 1) / side * 2 - 1
    return _ForegroundBox(left, right, top, bottom, float(inside.mean()))


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
    """(3, CELLS, CELLS) mean colors of a square image (s, s, 3), uint8 or 0..1: Lab / 50 with L shifted by -1."""
    unit = np.float32(1 / 255 if rgb.dtype == np.uint8 else 1)
    small: Floats = cv2.resize(rgb.astype(np.float32, copy=False), (CELLS, CELLS), interpolation=cv2.INTER_AREA) * unit
    lab = lab_from_rgb(small.astype(np.float32, copy=False)) / 50
    lab[..., 0] -= 1
    return np.ascontiguousarray(lab.transpose(2, 0, 1), np.float32)


def cell_layer_weights(mask: Gray, has_background: bool, has_foreground: bool) -> Floats:
    """(CELLS^2, 2) how much each cell of a reference may color background and foreground, from its square mask (s, s).

    has_background, has_foreground: whether the references show that layer at all; if not, every cell may color it.
    """
    share = cv2.resize(mask, (CELLS, CELLS), interpolation=cv2.INTER_AREA).ravel().astype(np.float32) / 255
    ones = np.ones_like(share)
    return np.stack([1 - share if has_background else ones, share if has_foreground else ones], 1).astype(np.float32)


def stack_image_channels(lines: Gray, mask: Gray, reference: float) -> Floats:
    """(3, SIDE, SIDE) input of the CNN from lines (255 = ink) and mask, (SIDE, SIDE) each; reference: 1.0, else 0.0."""
    return np.stack([lines / 255.0, mask / 255.0, np.full(lines.shape, reference)]).astype(np.float32)


def region_lab(palette: Rgb | Floats, index: np.ndarray) -> Floats:
    """(m, 3) colors of the reference's regions as the network reads them: Lab / 50 with L shifted by -1."""
    lab = lab_from_rgb(palette)[index] / 50
    lab[:, 0] -= 1
    return lab.astype(np.float32)


def allowed_pairs(foreground: Bools, reference_foreground: Bools) -> Bools:
    """(n, m): foreground regions may use the reference's foreground only, background regions its background only.

    Regions of a layer that the reference does not show may use everything.
    """
    same = foreground[:, None] == reference_foreground[None, :]
    return same | ~same.any(1, keepdims=True)
