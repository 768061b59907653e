"""Spots of color, and the regions they fix."""

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.imaging.edits.hint_strokes import find_hint_strokes
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


def _painted(*spots: tuple[int, int, int, tuple[int, int, int]], scale: int = 1) -> np.ndarray:
    """Dabs of (x, y, radius, color)."""
    hints = np.zeros((SIDE * scale, SIDE * scale, 4), np.uint8)
    for x, y, radius, color in spots:
        cv2.circle(hints, (x * scale, y * scale), radius * scale, (*color, 255), -1)
    return hints


def _fixed(*spots: tuple[int, int, int, tuple[int, int, int]], scale: int = 1) -> tuple[Regions, FixedRegions]:
    finer, regions, ink = _rooms()
    return apply_hints(finer, regions, ink, _painted(*spots, scale=scale))


def _color(found: tuple[Regions, FixedRegions], x: int, y: int) -> tuple[int, ...] | None:
    regions, fixed = found
    k = regions.labels[y, x]
    return tuple(fixed.colors[k].tolist()) if fixed.is_fixed[k] else None


def test_a_spot_fixes_its_whole_region_and_no_other() -> None:
    for scale in (1, 3):
        found = _fixed((30, 70, 2, RED), scale=scale)
        assert _color(found, 30, 70) == _color(found, 2, 2) == RED
        assert _color(found, 70, 30) is None
        assert found[0].foreground[found[0].labels[2, 2]] and not found[0].foreground[found[0].labels[30, 70]]
        assert found[0].count == 2 and len(found[1].is_fixed) == len(found[1].colors) == 2


def test_a_spot_in_a_small_room_that_was_joined_colors_the_room_alone() -> None:
    found = _fixed((14, 14, 2, RED))
    assert _color(found, 12, 12) == RED and _color(found, 30, 70) is None
    found = _fixed((14, 14, 2, RED), (30, 70, 2, BLUE))
    assert _color(found, 12, 12) == RED and _color(found, 30, 70) == BLUE


def test_a_spot_on_a_line_belongs_to_the_side_with_most_of_it() -> None:
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


def test_what_cannot_be_reached_goes_to_the_nearest_spot() -> None:
    _, regions, ink = _rooms()
    labels = regions.labels.copy()
    labels[:, 60:64] = 0  # a wall through the right half: its far side touches neither spot
    apart = Regions(labels, 2, regions.ink, regions.foreground)
    found = apply_hints(labels, apart, ink, _painted((54, 20, 2, RED), (54, 76, 2, BLUE)))
    assert _color(found, 90, 10) == RED and _color(found, 90, 90) == BLUE


def test_a_soft_brush_is_one_color_and_its_most_frequent() -> None:
    hints = _painted((70, 50, 12, RED))
    alpha = cv2.GaussianBlur(hints[..., 3], (0, 0), 4)
    noise = np.random.default_rng(1).integers(-6, 7, (SIDE, SIDE, 3))
    soft = np.where((alpha < 120)[..., None], np.clip(np.array(RED) + noise, 0, 255), RED).astype(np.uint8)
    found = find_hint_strokes(np.dstack([soft, alpha]))
    assert found.colors.tolist() == [list(RED)]
    assert len(found.rows) == np.count_nonzero(alpha) and found.weight.min() >= 1


def test_touching_strokes_are_two_spots() -> None:
    found = find_hint_strokes(_painted((60, 40, 6, RED), (60, 50, 6, BLUE)))
    assert sorted(found.colors.tolist()) == sorted([list(RED), list(BLUE)])


def test_a_whole_picture_for_hints_is_looked_at_in_parts() -> None:
    noise = np.random.default_rng(2).integers(0, 256, (2100, 2100, 4)).astype(np.uint8)
    noise[..., 3] = 255
    found = find_hint_strokes(noise)
    assert 1 <= len(found.colors) <= 10 and len(found.rows) == 1050 * 1050


DABS = st.lists(
    st.tuples(st.integers(0, SIDE - 1), st.integers(0, SIDE - 1), st.integers(0, 9), st.sampled_from([RED, BLUE, GREEN])),
    min_size=1,
    max_size=6,
)


@given(DABS)
@settings(max_examples=60, deadline=None)
def test_any_spots_leave_a_partition_that_only_got_finer(dabs: list[tuple[int, int, int, tuple[int, int, int]]]) -> None:
    finer, regions, ink = _rooms()
    found, fixed = apply_hints(finer, regions, ink, _painted(*dabs))
    assert np.array_equal(np.unique(found.labels), np.arange(found.count))
    assert len(fixed.is_fixed) == len(fixed.colors) == len(found.foreground) == found.count
    assert fixed.is_fixed.any()
    assert {tuple(c) for c in fixed.colors[fixed.is_fixed].tolist()} <= {dab[3] for dab in dabs}
    for k in range(found.count):
        assert len(np.unique(regions.labels[found.labels == k])) == 1
