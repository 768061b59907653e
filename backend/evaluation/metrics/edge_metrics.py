"""Whether color stays where it belongs: leak across the border of the mask, bleed across lines."""

from typing import Any

import cv2
import numpy as np
from scipy.ndimage import distance_transform_edt

from backend.evaluation.metrics.color_metrics import CLOSE, LINE_THRESHOLD, NEAR, color_difference
from backend.imaging.color import lab_from_rgb
from backend.imaging.types import Bools, Floats, Gray, Rgb

LEAK_BAND = 0.03
"""Largest distance to the border of the mask, as a share of the shorter side (at least 4 pixels)."""
MIXED_PIXELS = 2.0
"""Smallest distance to the border, pixels; nearer pixels may be mixed and are not judged."""
BLEED_STEP = 0.008
"""Distance of the two pixels that are compared for bleed, as a share of the shorter side (at least 2 pixels)."""
CALM_CHANGE, BLEED_CHANGE = 3.0, 6.0
"""Distances in Lab over one step: the true color is calm under CALM_CHANGE; the result bleeds above BLEED_CHANGE."""


def color_leak(result: Rgb, truth: Rgb, line: Gray, mask: Gray) -> float:
    """Share of the pixels beside the mask's border that have a color from across the border, 0..1.

    Judged are pixels outside the lines, MIXED_PIXELS to LEAK_BAND away from the border, whose true color differs by at least
    NEAR (CIEDE2000) from the nearest true color across the border.  Such a pixel leaks when the result is under CLOSE of
    that color across the border.  Foreground and background count alike.  A wrong color that happens to be the neighbor's
    counts, too, as it looks the same.  nan when the mask has no border, or no pixel is judged.

    result, truth: (h, w, 3).  line: (h, w), dark on white.  mask: (h, w), 255 = foreground.
    """
    inside = mask > 127
    if inside.all() or not inside.any():
        return float("nan")
    within: Any = distance_transform_edt(inside)
    without: Any = distance_transform_edt(~inside)
    distance = np.where(inside, within, without)
    clean = (line >= LINE_THRESHOLD) & (distance >= MIXED_PIXELS)
    band = clean & (distance <= max(4.0, LEAK_BAND * min(mask.shape)))
    judged = leaked = 0
    for foreground in (True, False):
        across = clean & (inside != foreground)
        here = band & (inside == foreground)
        if not across.any() or not here.any():
            continue
        nearest: Any = distance_transform_edt(~across, return_distances=False, return_indices=True)
        foreign = truth[nearest[0][here], nearest[1][here]]
        apart = color_difference(truth[here], foreign) >= NEAR
        judged += int(apart.sum())
        leaked += int((color_difference(result[here][apart], foreign[apart]) < CLOSE).sum())
    return leaked / judged if judged else float("nan")


def color_bleed(result: Rgb, truth: Rgb, line: Gray) -> float:
    """Share of places where the result changes color although there is neither a line nor a change in the truth, 0..1.

    A place is two pixels one BLEED_STEP apart in a row or a column, with no line pixel between or beside them.  It is judged
    when the truth changes by less than CALM_CHANGE (CIE 1976 distance in Lab) there and at every place within a step of it.
    It bleeds when the result changes by more than BLEED_CHANGE.  So a color that is smeared over a line bleeds, by its slope
    beside the line, and so does a border of colors on blank paper; a region in one wrong color does not.  nan when no place
    is calm.

    result, truth: (h, w, 3).  line: (h, w), dark on white.
    """
    step = max(2, round(BLEED_STEP * min(line.shape)))
    # Pixels beside lines are left out, too: their colors are mixed with ink.
    free = cv2.erode((line >= LINE_THRESHOLD).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    judged = bled = 0
    true_lab, lab = lab_from_rgb(truth), lab_from_rgb(result)
    # Columns are rows of the transposed image, copied into memory order for speed.
    across, down = _free_runs(free, step), np.ascontiguousarray(_free_runs(np.ascontiguousarray(free.T), step).T)
    changes = [np.where(across, _color_change(true_lab, step, 1), 0), np.where(down, _color_change(true_lab, step, 0), 0)]
    most: Any = cv2.dilate(np.maximum(*changes), np.ones((2 * step + 1, 2 * step + 1), np.uint8))
    for axis, places in ((1, across), (0, down)):
        calm = places & (most < CALM_CHANGE)
        judged += int(calm.sum())
        bled += int((calm & (_color_change(lab, step, axis) > BLEED_CHANGE)).sum())
    return bled / judged if judged else float("nan")


def _free_runs(free: Bools, step: int) -> Bools:
    """(h, w) bool: the pixel and the ``step`` pixels to its right are all free; False where the image ends.

    Sums of blocked pixels along each row answer that for any step with one comparison.
    """
    height, width = free.shape
    blocked = np.zeros((height, width + 1), np.int32)
    np.cumsum(~free, axis=1, out=blocked[:, 1:])
    result = np.zeros_like(free)
    if width > step:
        result[:, : width - step] = blocked[:, step + 1 :] == blocked[:, : width - step]
    return result


def _color_change(lab: Floats, step: int, axis: int) -> Floats:
    """(h, w): distance in Lab between a pixel and the one ``step`` further along the axis; 0 where the image ends."""
    result = np.zeros(lab.shape[:2], np.float32)
    if lab.shape[axis] > step:
        ahead, here = (lab[:, step:], lab[:, :-step]) if axis else (lab[step:], lab[:-step])
        target = result[:, :-step] if axis else result[:-step]
        target[:] = np.sqrt(((ahead - here) ** 2).sum(-1))
    return result
