"""The views that the segmenter sees, and what it makes of images of any shape."""

import cv2
import numpy as np
import pytest

from backend.contract.family import ForegroundSegmenter
from backend.families.mini.foreground import MiniSegmenter, View, drawing_views
from backend.weights.shipped_model import SHIPPED_MODELS, ModelFolder


@pytest.fixture(scope="module")
def masks() -> ForegroundSegmenter:
    """The shipped segmenter."""
    return MiniSegmenter.load(ModelFolder(SHIPPED_MODELS / "mini"))


def test_a_drawing_has_views_of_the_whole_and_of_the_box_of_its_lines() -> None:
    ink = np.zeros((200, 300), np.uint8)
    cv2.rectangle(ink, (100, 40), (149, 139), 255, 2)
    whole, mirrored, box = drawing_views(ink)
    assert whole == View(0, 0, 200, 300, False, 1.0) and mirrored.mirrored
    assert box.top < 40 and box.left < 100 and box.left + box.width > 150  # paper on three sides
    assert 140 <= box.top + box.height <= 143  # and none below: cut off as by an image's edge
    assert len(drawing_views(np.zeros_like(ink))) == 2


def test_a_small_foreground_is_found_where_it_stands(masks: ForegroundSegmenter) -> None:
    ink = np.zeros((512, 512), np.uint8)
    cv2.circle(ink, (380, 150), 40, 255, 3)
    cv2.rectangle(ink, (350, 190), (410, 290), 255, 3)
    for at in ((366, 145), (394, 145)):
        cv2.circle(ink, at, 5, 255, 2)
    for mask in (masks.segment_drawing(ink), masks.segment_drawing(np.ascontiguousarray(ink[:, ::-1]))[:, ::-1]):
        assert (mask[200:280, 360:400] == 255).all() and not mask[:, :300].any()


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (3, 1200), (1200, 3), (700, 500)])
@pytest.mark.parametrize("strength", [0, 255])
def test_any_image_has_a_mask(masks: ForegroundSegmenter, shape: tuple[int, int], strength: int) -> None:
    ink = np.full(shape, strength, np.uint8)
    for mask in (masks.segment_drawing(ink), masks.segment_reference(np.dstack([ink] * 3))):
        assert mask.shape == shape and mask.dtype == np.uint8


@pytest.mark.parametrize(("strength", "views"), [(40, 2), (41, 3)])
def test_only_ink_above_40_counts_for_the_box_of_the_lines(strength: int, views: int) -> None:
    ink = np.zeros((100, 100), np.uint8)
    ink[40:60, 40:60] = strength
    assert len(drawing_views(ink)) == views


def test_the_box_has_six_percent_of_its_longer_side_around_it() -> None:
    ink = np.zeros((400, 400), np.uint8)
    ink[100:301, 150:201] = 255
    box = drawing_views(ink)[2]
    assert (box.top, box.left, box.width) == (100 - 12, 150 - 12, 51 + 2 * 12)
