"""Where a selection cuts the regions, and what it leaves as it is."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.imaging.edits.selection import SelectionSplit, blend_outside, downsample_nearest, extend_colors, split_by_selection
from backend.imaging.types import Regions

SIDE = 200
Pair = tuple[np.ndarray, np.ndarray]


def _regions() -> Regions:
    """Foreground on the left, background on the right, each cut in two by a line halfway down."""
    labels = np.zeros((SIDE, SIDE), np.int32)
    labels[:, SIDE // 2 :] += 1
    labels[SIDE // 2 :] += 2
    ink = np.zeros((SIDE, SIDE), np.bool_)
    ink[SIDE // 2] = ink[:, SIDE // 2] = True
    return Regions(labels, 4, ink, np.array([True, False, True, False]))


def _cut(selection: np.ndarray, finer: np.ndarray | None = None) -> SelectionSplit:
    regions = _regions()
    return split_by_selection(regions.labels if finer is None else finer, regions, selection)


def _box(top: int, bottom: int, left: int, right: int) -> np.ndarray:
    selection = np.zeros((SIDE, SIDE), np.uint8)
    selection[top:bottom, left:right] = 255
    return selection


def test_a_selected_region_is_free_whole_and_uncut() -> None:
    cut = _cut(_box(0, 100, 0, 100))
    assert cut.regions.count == 4 and cut.editable.tolist() == [True, False, False, False] and (cut.counterpart == -1).all()
    assert cut.parents.tolist() == [0, 1, 2, 3] and np.array_equal(cut.blendable, cut.editable)


def test_a_slip_over_a_line_frees_no_neighbor() -> None:
    assert np.array_equal(_cut(_box(0, 101, 0, 102)).editable, _cut(_box(0, 100, 0, 100)).editable)
    assert _cut(_box(2, 97, 2, 98)).editable.tolist() == [True, False, False, False]


def test_a_part_of_a_region_is_cut_out_of_it() -> None:
    cut = _cut(_box(20, 60, 20, 60))
    assert cut.regions.count == 5
    inner, outer = cut.regions.labels[40, 40], cut.regions.labels[5, 5]
    assert cut.editable.tolist().count(True) == 1 and cut.editable[inner] and not cut.editable[outer]
    assert cut.counterpart[outer] == inner and cut.counterpart[inner] == -1
    assert cut.parents[inner] == cut.parents[outer] == 0 and cut.regions.foreground[inner]
    assert cut.blendable[outer] and not cut.blendable[cut.regions.labels[150, 150]]


def test_a_small_part_that_was_joined_can_be_selected_alone() -> None:
    finer = _regions().labels.copy()
    finer[40:44, 40:44] = 4
    cut = _cut(_box(40, 44, 40, 44), finer)
    assert cut.editable[cut.regions.labels[42, 42]] and not cut.editable[cut.regions.labels[38, 42]]


@pytest.mark.parametrize("selection", [_box(50, 51, 10, 90), _box(0, 1, 0, 1), _box(30, 34, 30, 34) // 3])
def test_some_region_is_always_free(selection: np.ndarray) -> None:
    assert _cut(selection).editable.any()


def test_everything_selected_frees_everything() -> None:
    assert _cut(_box(0, SIDE, 0, SIDE)).editable.all()


def test_the_outer_part_continues_the_inner_ones_colors() -> None:
    cut = _cut(_box(20, 60, 20, 60))
    own = np.zeros((SIDE, SIDE, 3), np.float32)
    own[cut.regions.labels == cut.regions.labels[40, 40]] = (1, 2, 3)
    found = extend_colors(own, cut)
    assert (found[:100, :100] == (1, 2, 3)).all() and not found[:, 100:].any() and not found[100:].any()


def _layers(seed: int) -> Pair:
    rng = np.random.default_rng(seed)
    over, under = (rng.integers(0, 256, (SIDE, SIDE, 4)).astype(np.uint8) for _ in range(2))
    return over, under


def _recolored(old: Pair, new: Pair, cut: SelectionSplit, selection: np.ndarray) -> Pair:
    over, under = (layer.copy() for layer in new)
    blend_outside(old, cut.regions.labels.astype(np.uint16), cut, selection, over, under)
    return over, under


@given(st.integers(0, 2**32), st.integers(0, SIDE - 2), st.integers(0, SIDE - 2), st.integers(1, 120), st.integers(0, 12))
@settings(max_examples=25, deadline=None)
def test_every_byte_outside_the_selection_stays(seed: int, top: int, left: int, size: int, soft: int) -> None:
    selection = _box(top, top + size, left, left + size)
    if soft:
        selection = cv2.GaussianBlur(selection, (0, 0), soft)
        selection.flat[selection.argmax()] = max(1, selection.max())
    cut, old, new = _cut(selection), _layers(seed), _layers(seed + 1)
    before = [layer.copy() for layer in old]
    found = _recolored(old, new, cut, selection)
    outside = (selection == 0) | ~cut.blendable[cut.regions.labels] & cut.regions.foreground[cut.regions.labels]
    assert np.array_equal(found[0][outside], old[0][outside])
    assert np.array_equal(found[1][selection == 0], old[1][selection == 0])
    fixed_background = ~cut.blendable[cut.regions.labels] & ~cut.regions.foreground[cut.regions.labels]
    assert np.array_equal(found[1][fixed_background], old[1][fixed_background])
    full = (selection == 255) & cut.blendable[cut.regions.labels]
    assert np.array_equal(found[0][full], new[0][full])
    assert all(np.array_equal(was, layer) for was, layer in zip(before, old, strict=True))


def test_a_soft_edge_fades_by_opacity() -> None:
    selection = np.full((SIDE, SIDE), 64, np.uint8)
    cut, old, new = _cut(selection), _layers(1), _layers(2)
    found = _recolored(old, new, cut, selection)[0].astype(float)
    share = 64 / 255
    alpha = old[0][..., 3] * (1 - share) + new[0][..., 3] * share
    color = (old[0][..., :3] * (old[0][..., 3:] * (1 - share)) + new[0][..., :3] * (new[0][..., 3:] * share)) / np.maximum(
        alpha[..., None], 1e-9
    )
    assert np.abs(found[..., 3] - alpha).max() <= 0.5 + 1e-6
    visible = alpha > 0
    assert np.abs(found[..., :3] - color)[visible].max() <= 0.5 + 1e-6


def test_the_hidden_background_follows_changed_background_and_nothing_else() -> None:
    old, new = _layers(3), _layers(4)
    old[0][..., 3] = 255
    for selection, changes in ((_box(0, 100, 0, 100), False), (_box(0, 100, 0, SIDE), True)):
        cut = _cut(selection)
        under = _recolored(old, new, cut, selection)[1]
        expected = new[1] if changes else old[1]
        assert np.array_equal(under[:100, :100], expected[:100, :100])


def test_sampling_mixes_no_colors() -> None:
    image = np.zeros((100, 60, 4), np.uint8)
    image[::2] = 200
    small = downsample_nearest(image, (7, 5))
    assert small.shape == (7, 5, 4) and set(np.unique(small)) <= {0, 200}
    assert np.array_equal(downsample_nearest(image, (100, 60)), image)


@pytest.mark.parametrize(("columns", "freed"), [(9, False), (10, True)])
def test_a_slip_is_no_wider_than_twice_its_radius(columns: int, freed: bool) -> None:
    side = 1000  # where a slip may be 2 x 0.004 of the side wide: 8 pixels, and one that belongs to the border
    labels = np.zeros((side, side), np.int32)
    labels[:, side // 2 :] = 1
    regions = Regions(labels, 2, np.zeros((side, side), np.bool_), np.array([True, False]))
    selection = np.zeros((side, side), np.uint8)
    selection[:, : side // 2 + columns] = 255
    split = split_by_selection(labels, regions, selection)
    assert split.editable[split.regions.labels[500, 10]]
    assert bool(split.editable[split.regions.labels[500, side // 2]]) == freed


@pytest.mark.parametrize(("columns", "whole"), [(89, False), (90, True)])
def test_nine_tenths_of_a_part_are_all_of_it(columns: int, whole: bool) -> None:
    split = _cut(_box(0, 100, 0, columns))
    assert bool(split.editable[split.regions.labels[50, 99]]) == whole
