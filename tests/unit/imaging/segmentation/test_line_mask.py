"""Which pixels of a drawing are lines."""

import numpy as np
import pytest

from backend.imaging.segmentation.regions import line_mask

BLANK = np.zeros((256, 256), np.uint8)


@pytest.mark.parametrize(("strength", "found"), [(24, False), (25, True)])
def test_a_line_has_a_contrast_of_more_than_24(strength: int, found: bool) -> None:
    ink = BLANK.copy()
    ink[100, 20:200] = strength
    assert line_mask(ink).any() == found


@pytest.mark.parametrize(("strength", "solid"), [(205, False), (206, True)])
def test_wide_areas_are_lines_above_205(strength: int, solid: bool) -> None:
    ink = BLANK.copy()
    ink[60:190, 60:190] = strength
    assert line_mask(ink)[128, 128] == solid


@pytest.mark.parametrize(("tone", "found"), [(32, False), (33, True)])
def test_tones_are_apart_by_more_than_32(tone: int, found: bool) -> None:
    ink = BLANK.copy()
    ink[60:190, 60:190] = tone
    lines = line_mask(ink)
    assert lines[60, 128] == found and not lines[128, 128]


@pytest.mark.parametrize(("strength", "line"), [(99, False), (100, True)])
def test_a_line_has_half_the_contrast_of_the_strongest_nearby(strength: int, line: bool) -> None:
    ink = BLANK.copy()
    ink[100, 20:200] = 200
    ink[102, 20:200] = strength
    assert line_mask(ink)[102, 100] == line


@pytest.mark.parametrize(("pixels", "line"), [(5, False), (6, True)])
def test_a_speck_has_less_than_three_pixels_at_256(pixels: int, line: bool) -> None:
    ink = np.zeros((512, 512), np.uint8)
    ink[100, 100 : 100 + pixels] = 255
    assert line_mask(ink).any() == line
