"""Colors at working size: a coarse color field brought into the regions, and each layer's colors continued under the other."""

from dataclasses import dataclass
from typing import Any

import cv2
import numba
import numpy as np

from backend.imaging.color import lab_from_rgb, rgb_from_lab
from backend.imaging.types import Bools, Floats, Labels, Regions, Rgb

INK_DISTRUST = 12.0
"""Trust in a cell of which a share ``i`` is ink falls as exp(-INK_DISTRUST * i): what the field shows there may be the line."""
FLAT_PRIOR = 0.5
"""Weight of a region's flat color in its mean (1 = a cell well inside the region)."""
MEAN_PRIOR = 0.05
"""Weight of a region's mean in each of its cells."""
PROPAGATION_ROUNDS = 8
"""How many cells far the colors of clean cells are propagated in a region."""
NEIGHBOR_WEIGHT = 0.1
"""How much a neighbor counts when colors are propagated."""
TRUST_DECAY = 0.7
"""How much of a neighbor's trust comes along with its color."""
CLEAN_TRUST = 0.5
"""A cell with more trust than this keeps its own color."""
MIN_BACKGROUND_SHARE = 0.005
"""Smallest share of the image that a background region needs to color what is behind the foreground: no gap under an arm."""
MAX_CELL_REGIONS = 8
"""Regions that one field cell may hold; any further ones there rest on their other cells."""
_SWEEPS = 12


@dataclass(frozen=True)
class RegionColors:
    """Colors at working size, (h, w, 3) float32 sRGB 0..255."""

    image: Floats
    """Every pixel in the color of its own region."""
    foreground: Floats
    """The same inside the foreground, its nearest colors outside."""
    background: Floats
    """The same in the background, closed smoothly behind the foreground."""


def sample_field(regions: Regions, flats: Rgb, field: Floats | None) -> Floats:
    """Every pixel in the color of its own region, (h, w, 3) float32 sRGB 0..255.

    flats: (count, 3) uint8.  field: (fh, fw, 3) float32 sRGB 0..1 over the whole image, or None.
    """
    return flats.astype(np.float32)[regions.labels] if field is None else interpolate_in_regions(regions, flats, field) * 255


def build_region_colors(regions: Regions, image: Floats, paper: tuple[int, int, int]) -> RegionColors:
    """The three images that both layers are rendered from.

    image: from ``sample_field``.  paper: color of the background when every region is foreground.  When none is, ``foreground``
    is ``image``.
    """
    inside = regions.foreground[regions.labels]
    if not inside.any():
        return RegionColors(image, image, image)
    if inside.all():
        return RegionColors(image, image, np.broadcast_to(np.array(paper, np.float32), image.shape))
    pixels = np.bincount(regions.labels.ravel(), minlength=regions.count)
    is_wide = ~regions.foreground & (pixels >= MIN_BACKGROUND_SHARE * regions.labels.size)
    visible = is_wide[regions.labels] if is_wide.any() else ~inside
    return RegionColors(image, fill_nearest(image, inside), fill_laplace(image, visible))


def interpolate_in_regions(regions: Regions, flats: Rgb, field: Floats) -> Floats:
    """Each pixel from the field's cells of its own region only: (h, w, 3) float32 sRGB 0..1.

    Normalized cubic B-spline interpolation in Lab over cells that the region fills.  Cells that it shares with a line or with
    another region show a mixture.  They take the color of its clean cells nearby, failing those the mean of all its clean
    cells, failing those its flat color.
    """
    lab = lab_from_rgb(np.clip(field, 0, 1).astype(np.float32))
    wide_lines: Any = cv2.dilate(regions.ink.astype(np.uint8), np.ones((3, 3), np.uint8))
    members, share, trust = _cell_members(regions.labels, wide_lines > 0, field.shape[0], field.shape[1])
    exists = members >= 0
    colors = np.ascontiguousarray(np.broadcast_to(lab[:, :, None], (*members.shape, 3)))
    # A region's mean over its cells, by trust; the flat color is one more half-trusted cell, and all there is without others.
    total = np.bincount(members[exists], weights=trust[exists], minlength=regions.count) + FLAT_PRIOR
    sums = [
        np.bincount(members[exists], weights=colors[exists][:, c] * trust[exists], minlength=regions.count) for c in range(3)
    ]
    means = ((np.stack(sums, 1) + FLAT_PRIOR * lab_from_rgb(flats)) / total[:, None]).astype(np.float32)
    for _ in range(PROPAGATION_ROUNDS):
        colors, trust = _propagate_colors(members, colors, trust)
    colors = (colors * trust[..., None] + MEAN_PRIOR * means[members]) / (trust + MEAN_PRIOR)[..., None]
    out = np.empty((*regions.labels.shape, 3), np.float32)
    _interpolate(regions.labels, members, share, colors.astype(np.float32), means, out)
    return rgb_from_lab(out)


def _cell_members(labels: Labels, ink: Bools, rows: int, columns: int) -> tuple[Labels, Floats, Floats]:
    """Which regions lie in each field cell, (rows, columns, MAX_CELL_REGIONS), -1 = none; their share of it; the trust in it.

    Share and trust are 0..1.  A field is blurred over its cells, so what a cell shows is the region's only as far as the region
    fills the cell and the cells around it, and as the cell holds no ink.
    """
    height, width = labels.shape
    if rows > height or columns > width:  # cells finer than pixels: every cell belongs to the pixel in its middle
        y = (np.arange(rows) + 0.5) * height / rows
        x = (np.arange(columns) + 0.5) * width / columns
        centers = np.ix_(y.astype(int), x.astype(int))
        labels, ink = labels[centers], ink[centers]
    members = np.full((rows, columns, MAX_CELL_REGIONS), -1, np.int32)
    share = np.zeros((rows, columns, MAX_CELL_REGIONS), np.float32)
    total = np.zeros((rows, columns, 2), np.float32)
    _count_members(labels, ink, members, share, total)
    pixels, inked = total[..., :1], total[..., 1:]
    share /= pixels
    around = np.zeros_like(share)
    _share_around(members, share, around)
    # High powers, because a few percent of another color can be seen already.
    trust = share**4 * around**8 * np.exp(-INK_DISTRUST * inked / pixels)
    return members, share, trust.astype(np.float32)


@numba.njit(cache=True, nogil=True)
def _propagate_colors(members: Any, colors: Any, trust: Any) -> Any:
    """One round in which the region's trusted cells pass their colors to its untrusted ones beside them."""
    rows, columns, most = members.shape
    new_colors, new_trust = colors.copy(), trust.copy()
    total = np.empty(3, np.float32)
    for y in range(rows):
        for x in range(columns):
            for k in range(most):
                if members[y, x, k] < 0:
                    break
                # Clean cells only give.  The others take the mean of their own color and their neighbors', by trust.
                own_trust = trust[y, x, k]
                if own_trust > np.float32(CLEAN_TRUST):
                    continue
                weight, best_trust = own_trust, own_trust
                for c in range(3):
                    total[c] = own_trust * colors[y, x, k, c]
                for yy in range(max(0, y - 1), min(rows, y + 2)):
                    for xx in range(max(0, x - 1), min(columns, x + 2)):
                        for m in range(most):
                            if members[yy, xx, m] == members[y, x, k] and (yy != y or xx != x):
                                w = NEIGHBOR_WEIGHT * trust[yy, xx, m]
                                weight += w
                                best_trust = max(best_trust, TRUST_DECAY * trust[yy, xx, m])
                                for c in range(3):
                                    total[c] += w * colors[yy, xx, m, c]
                if weight > 0:
                    for c in range(3):
                        new_colors[y, x, k, c] = total[c] / weight
                    # Trust fades from cell to cell, so that near clean cells outweigh far ones.
                    new_trust[y, x, k] = best_trust
    return new_colors, new_trust


@numba.njit(cache=True, nogil=True)
def _count_members(labels: Any, ink: Any, members: Any, share: Any, total: Any) -> None:
    height, width = labels.shape
    rows, columns, most = members.shape
    for y in range(height):
        row = y * rows // height
        for x in range(width):
            column = x * columns // width
            total[row, column, 0] += 1
            total[row, column, 1] += ink[y, x]
            # The region's own slot, or the first free one; pixels of regions beyond the last slot go uncounted.
            for k in range(most):
                if members[row, column, k] < 0:
                    members[row, column, k] = labels[y, x]
                if members[row, column, k] == labels[y, x]:
                    share[row, column, k] += 1
                    break


@numba.njit(cache=True, nogil=True)
def _share_around(members: Any, share: Any, around: Any) -> None:
    """Mean share of each cell's regions in the 3 x 3 cells around it, the image's edge repeated."""
    rows, columns, most = members.shape
    for y in range(rows):
        for x in range(columns):
            for k in range(most):
                if members[y, x, k] < 0:
                    break
                total = np.float32(0)
                for i in range(-1, 2):
                    yy = min(max(y + i, 0), rows - 1)
                    for j in range(-1, 2):
                        xx = min(max(x + j, 0), columns - 1)
                        for m in range(most):
                            if members[yy, xx, m] == members[y, x, k]:
                                total += share[yy, xx, m]
                around[y, x, k] = total / 9


@numba.njit(cache=True, nogil=True)
def _interpolate(labels: Any, members: Any, share: Any, colors: Any, means: Any, out: Any) -> None:
    height, width = labels.shape
    rows, columns, most = members.shape
    kernel_y, kernel_x = np.empty(4, np.float32), np.empty(4, np.float32)
    for y in range(height):
        v = (y + 0.5) * rows / height - 0.5
        y0 = int(np.floor(v))
        _spline_weights(np.float32(v - y0), kernel_y)
        for x in range(width):
            u = (x + 0.5) * columns / width - 0.5
            x0 = int(np.floor(u))
            _spline_weights(np.float32(u - x0), kernel_x)
            label = labels[y, x]
            total = np.float32(1e-6)  # with no cell of its region near by, a pixel has the region's mean
            a, b, c = means[label, 0] * total, means[label, 1] * total, means[label, 2] * total
            for i in range(4):
                yy = min(max(y0 + i - 1, 0), rows - 1)
                for j in range(4):
                    xx = min(max(x0 + j - 1, 0), columns - 1)
                    for k in range(most):
                        if members[yy, xx, k] == label:
                            # Times the share: a cell of which the region has a corner says little about it.
                            w = kernel_y[i] * kernel_x[j] * share[yy, xx, k]
                            a += w * colors[yy, xx, k, 0]
                            b += w * colors[yy, xx, k, 1]
                            c += w * colors[yy, xx, k, 2]
                            total += w
                            break
                        if members[yy, xx, k] < 0:
                            break
            out[y, x, 0], out[y, x, 1], out[y, x, 2] = a / total, b / total, c / total


@numba.njit(cache=True, nogil=True)
def _spline_weights(t: Any, out: Any) -> None:
    """Cubic B-spline weights of the cells -1, 0, 1, 2 around a point at t in 0..1."""
    s = 1 - t
    out[0] = s * s * s / 6
    out[1] = (4 - 3 * t * t * (2 - t)) / 6
    out[2] = (4 - 3 * s * s * (2 - s)) / 6
    out[3] = t * t * t / 6


def fill_nearest(values: Floats, known: Bools) -> Floats:
    """Every unknown pixel of (h, w, 3) takes the value of the nearest known one; at least one must be known."""
    missing = (~known).astype(np.uint8)
    transform: Any = cv2.distanceTransformWithLabels(missing, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    nearest = transform[1]
    # OpenCV numbers the known pixels in its own way; this table leads from its numbers to their indices.
    source = np.zeros(int(nearest.max()) + 1, np.int64)
    source[nearest[known]] = np.flatnonzero(known)
    return values.reshape(-1, 3)[source[nearest]]


def fill_laplace(values: Floats, known: Bools) -> Floats:
    """The known pixels of (h, w, c) float32 unchanged; the unknown filled in smoothly between them.

    Laplace's equation with the known pixels as boundary, from coarse to fine (pull-push): no seam where known meets unknown.
    At least one pixel must be known.
    """
    if known.all() or min(values.shape[:2]) == 1:
        mean = values[known].mean(0)
        return np.where(known[..., None], values, mean).astype(np.float32)
    # The coarse solution is a start from which few sweeps are enough.
    coarse, coarse_known = _downsample_known(values, known)
    start: Any = cv2.resize(
        fill_laplace(coarse, coarse_known), (values.shape[1], values.shape[0]), interpolation=cv2.INTER_LINEAR
    )
    out = np.where(known[..., None], values, start.reshape(values.shape)).astype(np.float32)
    _relax(out, known, _SWEEPS)
    return out


def _downsample_known(values: Floats, known: Bools) -> tuple[Floats, Bools]:
    """Mean of the known pixels of every 2 x 2 block, and which blocks have any."""
    height, width = known.shape
    padding = (0, height % 2), (0, width % 2)
    weight = np.pad(known.astype(np.float32), padding)
    sums = np.pad(values * known[..., None], (*padding, (0, 0)))
    weight = weight[0::2, 0::2] + weight[1::2, 0::2] + weight[0::2, 1::2] + weight[1::2, 1::2]
    sums = sums[0::2, 0::2] + sums[1::2, 0::2] + sums[0::2, 1::2] + sums[1::2, 1::2]
    return (sums / np.maximum(weight, 1)[..., None]).astype(np.float32), weight > 0


@numba.njit(cache=True, nogil=True)
def _relax(values: Any, known: Any, sweeps: Any) -> None:
    """Gauss-Seidel sweeps, forwards and backwards in turn; beyond the image's edge its own value repeats."""
    height, width, channels = values.shape
    for sweep in range(sweeps):
        # Turning around lets values travel through the whole gap either way within two sweeps.
        for row in range(height):
            y = row if sweep % 2 == 0 else height - 1 - row
            up, down = max(y - 1, 0), min(y + 1, height - 1)
            for column in range(width):
                x = column if sweep % 2 == 0 else width - 1 - column
                if not known[y, x]:
                    left, right = max(x - 1, 0), min(x + 1, width - 1)
                    for c in range(channels):
                        near = values[up, x, c] + values[down, x, c] + values[y, left, c] + values[y, right, c]
                        values[y, x, c] = near * np.float32(0.25)
