"""A guessed figure mask moved to the lines of its drawing, or to the areas of one color of its picture.

A guess is right about what is figure and vague about where it ends; the lines know where, and nothing else.
"""

import cv2
import numpy as np

from backend.imaging.masks import resize_mask
from backend.imaging.resize import fit
from backend.imaging.segmentation.enclosed_areas import EnclosedAreas, find_enclosed_areas
from backend.imaging.segmentation.palette import reference_regions
from backend.imaging.segmentation.regions import Segmentation, line_mask, segment
from backend.imaging.types import Bools, Floats, Gray, Labels, Rgb

LINES_SIDE, COLORS_SIDE = 512, 256
"""Longest sides at which a drawing and a picture are cut."""
GAP, WIDE_GAP = 0.02, 0.04
"""Gaps in outlines, as in ``segment``: those that are closed, and those that are closed where the figure is plainly behind."""
DECIDED = 0.7
"""A region with this share on one side goes there as a whole."""
SURELY_NOT = 0.15
"""What lines close off is figure, unless the guess gives it no more than this: a cloud, a sign, the room between two arms."""
LARGE = 0.06
"""Radius of a pocket, as a fraction of the shorter side, that no gap between arms or legs has."""
MOST_GROUNDS, SMALLEST_GROUND, MOST_ELSEWHERE = 4, 0.003, 0.1
"""An empty ground: this many areas at the picture's edge, of this share or more, and this share of ground anywhere else."""
MOST_LOST = 0.25
"""An empty ground does not swallow more than this of the guessed figure: else the lines are not its outline."""
OUTLINE = 1.0
"""How far an outline reaches beyond the border in its middle, in pixels of a 256 px picture."""
MAX_COLOR_AREAS, COLOR_DECIDED, PLAIN = 400, 0.65, 0.7
"""Areas of a picture, the share that decides one, and the share of the picture's edge that makes one the paper."""


def snap_to_lines(mask: Gray, ink: Gray) -> Gray:
    """The mask (h, w) moved to the lines of its drawing: ink (h, w), 255 = line.

    On an empty ground the figure is filled up to its outline, which belongs to it: everything that the ground does not reach
    from the picture's edge.  On a drawn ground every region goes to the side that holds ``DECIDED`` of it; a region that lies
    across is left as it is.
    """
    small = fit(ink, LINES_SIDE)
    cut = segment(small, GAP)
    soft: Floats = (resize_mask(mask, small.shape[1], small.shape[0]) / 255).astype(np.float32)
    share = _shares(cut.labels, cut.count, soft)
    ground = _edge_regions(cut) & (share < 0.5)
    figure = (share > SURELY_NOT)[cut.labels]
    open_ground = ground[cut.labels]
    figure = np.where(open_ground, _filled_pockets(small, soft, open_ground), figure)
    if _is_empty(cut, ground, share) and soft[~figure].sum() < MOST_LOST * soft.sum():
        snapped = _with_outline(figure, small).astype(np.float32)
    else:
        decided = np.where(share > DECIDED, 1.0, np.where(share < 1 - DECIDED, 0.0, np.nan))[cut.labels]
        snapped = np.where(np.isnan(decided), soft, decided)
    return resize_mask(np.rint(snapped * 255).astype(np.uint8), mask.shape[1], mask.shape[0])


def _shares(labels: Labels, count: int, values: np.ndarray) -> Floats:
    """(count,) mean of values (h, w) in each region."""
    pixels = np.maximum(np.bincount(labels.ravel(), minlength=count), 1)
    return (np.bincount(labels.ravel(), weights=values.ravel(), minlength=count) / pixels).astype(np.float32)


def _edge_regions(cut: Segmentation) -> Bools:
    """(count,) whether a region touches the picture's edge."""
    edge = np.zeros(cut.count, np.bool_)
    labels = cut.labels
    edge[np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])] = True
    return edge


def _is_empty(cut: Segmentation, ground: Bools, share: Floats) -> bool:
    """Whether all ground there is are a few areas at the picture's edge."""
    part = np.bincount(cut.labels.ravel(), minlength=cut.count) / cut.labels.size
    elsewhere = float(part[(share < SURELY_NOT) & ~ground].sum())
    areas = int(np.count_nonzero(part[ground] > SMALLEST_GROUND))
    return bool(ground.any()) and areas <= MOST_GROUNDS and elsewhere <= MOST_ELSEWHERE


def _filled_pockets(ink: Gray, soft: Floats, ground: Bools) -> Bools:
    """Which pixels of the ground (h, w) lie behind a broken or faint outline, and are figure after all."""
    found: EnclosedAreas = find_enclosed_areas(ink, ground, WIDE_GAP)
    share = _shares(found.labels, found.count, soft)
    return (found.is_enclosed & (share > np.where(found.radius > LARGE, SURELY_NOT, 0.5)))[found.labels]


def _with_outline(figure: Bools, ink: Gray) -> Bools:
    """The figure with the outer half of the lines around it."""
    reach = OUTLINE * max(1.0, min(ink.shape) / 256)
    distance = cv2.distanceTransform((~figure).astype(np.uint8), cv2.DIST_L2, 5)
    return figure | (line_mask(ink) & (distance <= reach))


def snap_to_colors(mask: Gray, rgb: Rgb) -> Gray:
    """The mask (h, w) moved to the borders of the picture's areas of one color (h, w, 3).

    A figure on plain paper needs no guess: when one area holds ``PLAIN`` of the picture's edge, it is the ground and every area
    of another color is figure.  Else an area of which at least ``COLOR_DECIDED`` lies on one side goes there as a whole, and
    areas that hold some of both, as paintings have, are left as they are.
    """
    small = fit(rgb, COLORS_SIDE)
    cut = reference_regions(small, np.full(small.shape[:2], 255, np.uint8), MAX_COLOR_AREAS)
    soft = resize_mask(mask, small.shape[1], small.shape[0])
    count = len(cut.palette_index)
    labels = np.where(cut.labels < 0, count, cut.labels)  # the small remains belong to no area
    share = _shares(labels, count + 1, soft / np.float32(255))
    decided = (share > COLOR_DECIDED) | (share < 1 - COLOR_DECIDED)
    paper = _paper(labels, count)
    if paper is not None:
        other = np.append(cut.palette_index != cut.palette_index[paper], False)
        share, decided = np.where(other, 1.0, share), decided | other
        share[paper], decided[paper] = 0.0, True
    decided[count] = False
    snapped = np.where(decided[labels], np.where(share[labels] > 0.5, 255, 0), soft).astype(np.uint8)
    return resize_mask(snapped, mask.shape[1], mask.shape[0])


def _paper(labels: Labels, count: int) -> int | None:
    """The area (0..count-1) that holds most of the picture's edge, if it holds ``PLAIN`` of it."""
    edge = np.bincount(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]), minlength=count + 1)
    best = int(edge[:count].argmax()) if count else -1
    return best if best >= 0 and edge[best] >= PLAIN * edge.sum() else None
