"""Strokes of color, and the regions they fix."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.imaging.edits.hints import apply_hints
from backend.imaging.types import FixedRegions, Regions

SIDE = 96
RED, BLUE, GREEN = (210, 30, 40), (20, 60, 220), (30, 190, 60)


def _rooms() -> tuple[np.ndarray, Regions, np.ndarray]:
    """Finer labels, regions and ink: two halves with a line between, and in the left one a small room that was joined to it."""
    finer = np.zeros((SIDE, SIDE), np.int32)
    finer[:, SIDE // 2 :] = 1
    finer[10:20, 10:20] = 2
    ink = np.zeros((SIDE, SIDE), np.uint8)
    ink[:, SIDE // 2 - 1 : SIDE // 2 + 1] = 255
    cv2.rectangle(ink, (9, 9), (20, 20), 255, 1)
    return finer, Regions((finer == 1).astype(np.int32), 2, ink > 0, np.array([True, False])), ink


def _painted(*strokes: tuple[int, int, int, tuple[int, int, int]], scale: int = 1) -> np.ndarray:
    """Dabs of (x, y, radius, color)."""
    hints = np.zeros((SIDE * scale, SIDE * scale, 4), np.uint8)
    for x, y, radius, color in strokes:
        cv2.circle(hints, (x * scale, y * scale), radius * scale, (*color, 255), -1)
    return hints


def _fixed(*strokes: tuple[int, int, int, tuple[int, int, int]], scale: int = 1) -> tuple[Regions, FixedRegions]:
    finer, regions, ink = _rooms()
    return apply_hints(finer, regions, ink, _painted(*strokes, scale=scale))


def _color(found: tuple[Regions, FixedRegions], x: int, y: int) -> tuple[int, ...] | None:
    regions, fixed = found
    k = regions.labels[y, x]
    return tuple(fixed.colors[k].tolist()) if fixed.is_fixed[k] else None


def test_a_stroke_fixes_its_whole_region_and_no_other() -> None:
    for scale in (1, 3):
        found = _fixed((30, 70, 2, RED), scale=scale)
        assert _color(found, 30, 70) == _color(found, 2, 2) == RED
        assert _color(found, 70, 30) is None
        assert found[0].foreground[found[0].labels[2, 2]] and not found[0].foreground[found[0].labels[30, 70]]
        assert found[0].count == 2 and len(found[1].is_fixed) == len(found[1].colors) == 2


def test_a_stroke_in_a_small_room_that_was_joined_colors_the_room_alone() -> None:
    found = _fixed((14, 14, 2, RED))
    assert _color(found, 12, 12) == RED and _color(found, 30, 70) is None
    found = _fixed((14, 14, 2, RED), (30, 70, 2, BLUE))
    assert _color(found, 12, 12) == RED and _color(found, 30, 70) == BLUE


def test_a_stroke_on_a_line_belongs_to_the_region_with_most_of_it() -> None:
    assert _color(_fixed((45, 60, 4, RED)), 20, 60) == RED
    assert _color(_fixed((45, 60, 4, RED)), 80, 60) is None
    assert _color(_fixed((50, 60, 4, RED)), 80, 60) == RED
    tiny = _fixed((47, 60, 0, RED))  # one pixel, all of it ink
    assert (_color(tiny, 20, 60), _color(tiny, 80, 60)) == (RED, None)


def test_a_stroke_across_a_line_colors_both_sides() -> None:
    hints = np.zeros((SIDE, SIDE, 4), np.uint8)
    hints[50:54, 30:70] = (*GREEN, 255)
    finer, regions, ink = _rooms()
    found = apply_hints(finer, regions, ink, hints)
    assert _color(found, 30, 70) == _color(found, 80, 20) == GREEN and _color(found, 14, 14) == GREEN


def test_two_colors_divide_a_region_halfway() -> None:
    found = _fixed((60, 20, 2, RED), (60, 76, 2, BLUE))
    column = [_color(found, 60, y) for y in range(SIDE)]
    assert column.count(RED) + column.count(BLUE) == SIDE
    assert abs(column.index(BLUE) - 48) <= 1 and column[: column.index(BLUE)] == [RED] * column.index(BLUE)
    assert _color(found, 10, 50) is None


def test_a_line_inside_a_region_keeps_two_colors_apart() -> None:
    finer, regions, ink = _rooms()
    ink[30, 48:] = 255
    found = apply_hints(finer, regions, ink, _painted((60, 24, 2, RED), (60, 85, 2, BLUE)))
    assert _color(found, 90, 28) == RED and _color(found, 90, 32) == BLUE


def test_what_cannot_be_reached_goes_to_the_nearest_stroke() -> None:
    _, regions, ink = _rooms()
    labels = regions.labels.copy()
    labels[:, 60:64] = 0  # a wall through the right half: its far side touches neither stroke
    apart = Regions(labels, 2, regions.ink, regions.foreground)
    found = apply_hints(labels, apart, ink, _painted((54, 20, 2, RED), (54, 76, 2, BLUE)))
    assert _color(found, 90, 10) == RED and _color(found, 90, 90) == BLUE


@pytest.mark.parametrize(("beyond", "colored"), [((7, 2), False), ((5, 3), True)])
def test_a_slip_over_a_line_is_less_than_15_percent_of_the_stroke(beyond: tuple[int, int], colored: bool) -> None:
    hints = np.zeros((SIDE, SIDE, 4), np.uint8)
    hints[50:60, 37:47] = (*RED, 255)  # 100 pixels this side of the line, then 14 or 15 beyond it
    hints[50 : 50 + beyond[0], 47 : 49 + beyond[1]] = (*RED, 255)
    finer, regions, ink = _rooms()
    found = apply_hints(finer, regions, ink, hints)
    assert _color(found, 20, 60) == RED
    assert _color(found, 80, 60) == (RED if colored else None)


@pytest.mark.parametrize(("columns", "colored"), [(9, False), (10, True)])
def test_half_of_a_small_part_is_colored_on_purpose(columns: int, colored: bool) -> None:
    finer, _, ink = _rooms()
    regions = Regions(finer, 3, ink > 0, np.array([True, False, True]))
    hints = np.zeros((SIDE, SIDE, 4), np.uint8)
    hints[30:80, 2:42] = (*RED, 255)
    hints[15:30, 10 : 10 + columns] = (*RED, 255)  # five rows of the room of 10 x 10, by way of the line below it
    hints[15, 10] = (*RED, 255)
    if not colored:
        hints[15:19, 19] = (*RED, 255)  # 49 of its 100 pixels
    found = apply_hints(finer, regions, ink, hints)
    assert _color(found, 12, 12) == (RED if colored else None)


@pytest.mark.parametrize(("columns", "colored"), [(24, False), (25, True)])
def test_more_than_half_of_a_region_stands_for_all_of_it(columns: int, colored: bool) -> None:
    _, regions, ink = _rooms()
    finer = regions.labels.copy()
    finer[:, columns : SIDE // 2] = 2  # the left region, 48 columns wide, in two parts
    found = apply_hints(finer, regions, ink, _painted((10, 60, 3, RED)))
    assert _color(found, 5, 5) == RED
    assert _color(found, 40, 60) == (RED if colored else None)


DABS = st.lists(
    st.tuples(st.integers(0, SIDE - 1), st.integers(0, SIDE - 1), st.integers(0, 9), st.sampled_from([RED, BLUE, GREEN])),
    min_size=1,
    max_size=6,
)


@given(DABS)
@settings(max_examples=60, deadline=None)
def test_any_strokes_leave_a_partition_that_only_got_finer(dabs: list[tuple[int, int, int, tuple[int, int, int]]]) -> None:
    finer, regions, ink = _rooms()
    found, fixed = apply_hints(finer, regions, ink, _painted(*dabs))
    assert np.array_equal(np.unique(found.labels), np.arange(found.count))
    assert len(fixed.is_fixed) == len(fixed.colors) == len(found.foreground) == found.count
    assert fixed.is_fixed.any()
    assert {tuple(c) for c in fixed.colors[fixed.is_fixed].tolist()} <= {dab[3] for dab in dabs}
    for k in range(found.count):
        assert len(np.unique(regions.labels[found.labels == k])) == 1
