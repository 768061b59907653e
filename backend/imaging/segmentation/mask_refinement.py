"""Moves a guessed foreground mask to the lines of its drawing, or to the areas of one color of its image.

A guess is right about what is foreground and vague about where it ends.  The lines are exact about where, and say nothing else.
"""

import cv2
import numpy as np

from backend.imaging.masks import resize_mask
from backend.imaging.resize import fit
from backend.imaging.segmentation.enclosed_areas import find_enclosed_areas
from backend.imaging.segmentation.palette import reference_regions
from backend.imaging.segmentation.regions import Segmentation, line_mask, segment
from backend.imaging.types import Bools, Floats, Gray, Labels, Rgb

LINES_SIDE, COLORS_SIDE = 512, 256
"""Longest sides at which a drawing and an image are segmented."""
GAP = 0.02
"""Gaps in outlines that are closed, as in ``segment``."""
WIDE_GAP = 0.04
"""Gaps that are closed where the foreground is plainly behind them."""
DECIDED_SHARE = 0.7
"""A region of which more than this share is foreground, or background, becomes that as a whole."""
MIN_FOREGROUND_SHARE = 0.15
"""What lines close off is foreground unless no more than this share of it is: a cloud, a sign, the room between two arms."""
LARGE_RADIUS = 0.06
"""Radius of an enclosed area, as a fraction of the shorter side, that no gap between arms or legs has."""
MAX_BACKGROUND_AREAS = 4
"""An empty background is no more than so many areas at the image's edge ..."""
MIN_BACKGROUND_AREA = 0.003
"""... of more than this share of the image ..."""
MAX_BACKGROUND_ELSEWHERE = 0.1
"""... and no more than this share of background anywhere else."""
MAX_LOST_SHARE = 0.25
"""An empty background takes less than this share of the guessed foreground: else the lines are not its outline."""
OUTLINE_WIDTH = 1.0
"""How far an outline reaches beyond the border in its middle, in pixels of an image whose shorter side is 256 px."""
MAX_COLOR_AREAS = 400
"""Areas into which an image is split at most."""
DECIDED_COLOR_SHARE = 0.65
"""As ``DECIDED_SHARE``, for areas of one color."""
PAPER_SHARE = 0.7
"""Share of the image's edge that makes an area the paper."""


def snap_to_lines(mask: Gray, ink: Gray) -> Gray:
    """The mask (h, w) moved to the lines of its drawing: ink (h, w), 255 = line.

    On an empty background the foreground is filled up to its outline, which belongs to it: everything that the background does
    not reach from the image's edge.  On a drawn background every region becomes what ``DECIDED_SHARE`` of it is; a region that
    lies across is left as it is.
    """
    small = fit(ink, LINES_SIDE)
    segmentation = segment(small, GAP)
    soft: Floats = (resize_mask(mask, small.shape[1], small.shape[0]) / 255).astype(np.float32)
    share = _mean_by_region(segmentation.labels, segmentation.count, soft)
    is_background = _touches_edge(segmentation) & (share < 0.5)
    foreground = (share > MIN_FOREGROUND_SHARE)[segmentation.labels]
    # Where the background gets in through a broken outline, a coarser segmentation says what is enclosed after all.
    background = is_background[segmentation.labels]
    foreground = np.where(background, _fill_enclosed(small, soft, background), foreground)
    if _is_empty(segmentation, is_background, share) and soft[~foreground].sum() < MAX_LOST_SHARE * soft.sum():
        snapped = _add_outline(foreground, small).astype(np.float32)
    else:
        # NaN = undecided: there the guess remains.
        decided = np.where(share > DECIDED_SHARE, 1.0, np.where(share < 1 - DECIDED_SHARE, 0.0, np.nan))[segmentation.labels]
        snapped = np.where(np.isnan(decided), soft, decided)
    return resize_mask(np.rint(snapped * 255).astype(np.uint8), mask.shape[1], mask.shape[0])


def _mean_by_region(labels: Labels, count: int, values: np.ndarray) -> Floats:
    """(count,) mean of values (h, w) in each region."""
    pixels = np.maximum(np.bincount(labels.ravel(), minlength=count), 1)
    return (np.bincount(labels.ravel(), weights=values.ravel(), minlength=count) / pixels).astype(np.float32)


def _touches_edge(segmentation: Segmentation) -> Bools:
    """(count,) whether a region touches the image's edge."""
    touches = np.zeros(segmentation.count, np.bool_)
    labels = segmentation.labels
    touches[np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])] = True
    return touches


def _is_empty(segmentation: Segmentation, is_background: Bools, share: Floats) -> bool:
    """Whether the background is empty: a few areas at the image's edge and next to nothing elsewhere."""
    area = np.bincount(segmentation.labels.ravel(), minlength=segmentation.count) / segmentation.labels.size
    elsewhere = float(area[(share < MIN_FOREGROUND_SHARE) & ~is_background].sum())
    areas = int(np.count_nonzero(area[is_background] > MIN_BACKGROUND_AREA))
    return bool(is_background.any()) and areas <= MAX_BACKGROUND_AREAS and elsewhere <= MAX_BACKGROUND_ELSEWHERE


def _fill_enclosed(ink: Gray, soft: Floats, background: Bools) -> Bools:
    """Which pixels of the background (h, w) lie behind a broken or faint outline, and are foreground after all.

    A large enclosed area is foreground unless the guess is sure that it is not; a small one needs half of the guess.
    """
    areas = find_enclosed_areas(ink, background, WIDE_GAP)
    share = _mean_by_region(areas.labels, areas.count, soft)
    return (areas.is_enclosed & (share > np.where(areas.radius > LARGE_RADIUS, MIN_FOREGROUND_SHARE, 0.5)))[areas.labels]


def _add_outline(foreground: Bools, ink: Gray) -> Bools:
    """The foreground with the outer half of the lines around it."""
    reach = OUTLINE_WIDTH * max(1.0, min(ink.shape) / 256)
    distance = cv2.distanceTransform((~foreground).astype(np.uint8), cv2.DIST_L2, 5)
    return foreground | (line_mask(ink) & (distance <= reach))


def snap_to_colors(mask: Gray, rgb: Rgb) -> Gray:
    """The mask (h, w) moved to the borders of the image's areas of one color (h, w, 3).

    A character on plain paper needs no guess: when one area holds ``PAPER_SHARE`` of the image's edge, it is the background and
    every area of another color is foreground.  Else an area becomes what more than ``DECIDED_COLOR_SHARE`` of it is; areas that
    hold some of both, as paintings have, are left as they are.
    """
    small = fit(rgb, COLORS_SIDE)
    areas = reference_regions(small, np.full(small.shape[:2], 255, np.uint8), MAX_COLOR_AREAS)
    soft = resize_mask(mask, small.shape[1], small.shape[0])
    count = len(areas.palette_index)
    labels = np.where(areas.labels < 0, count, areas.labels)  # what is too small for an area is one more, never decided
    share = _mean_by_region(labels, count + 1, soft / np.float32(255))
    is_decided = (share > DECIDED_COLOR_SHARE) | (share < 1 - DECIDED_COLOR_SHARE)
    paper = _find_paper(labels, count)
    if paper is not None:
        # An area of the paper's color that is not the paper (white clothes) is decided by the guess.
        is_other = np.append(areas.palette_index != areas.palette_index[paper], False)
        share, is_decided = np.where(is_other, 1.0, share), is_decided | is_other
        share[paper], is_decided[paper] = 0.0, True
    is_decided[count] = False
    snapped = np.where(is_decided[labels], np.where(share[labels] > 0.5, 255, 0), soft).astype(np.uint8)
    return resize_mask(snapped, mask.shape[1], mask.shape[0])


def _find_paper(labels: Labels, count: int) -> int | None:
    """The area (0..count-1) that holds most of the image's edge, if it holds ``PAPER_SHARE`` of it."""
    edge = np.bincount(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]), minlength=count + 1)
    best = int(edge[:count].argmax()) if count else -1
    return best if best >= 0 and edge[best] >= PAPER_SHARE * edge.sum() else None
