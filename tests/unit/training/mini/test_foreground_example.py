"""What the foreground network learns from: changed images whose foreground is still known."""

import numpy as np

from backend.training.mini.foreground_example import (
    break_lines,
    make_drawing_example,
    make_reference_example,
    random_pen_strength,
    wipe_background,
)
from backend.training.mini.shard_dataset import ShardDataset


def test_the_same_numbers_make_the_same_image(dataset: ShardDataset) -> None:
    for make in (make_drawing_example, make_reference_example):
        first, second, other = (make(dataset.sample(np.random.default_rng(1)), np.random.default_rng(s)) for s in (2, 2, 3))
        for a, b in zip(first, second, strict=True):
            np.testing.assert_array_equal(a, b)
        assert not np.array_equal(first.lines, other.lines)


def test_values_and_sizes(dataset: ShardDataset) -> None:
    rng = np.random.default_rng(4)
    for _ in range(12):
        for make in (make_drawing_example, make_reference_example):
            item = make(dataset.sample(rng), rng)
            assert item.lines.shape == item.mask.shape == (1, 256, 256) and item.rgb.shape == (3, 128, 128)
            assert all(part.min() >= 0 and part.max() <= 1 for part in item)


def test_a_moved_foreground_takes_its_lines_along(dataset: ShardDataset) -> None:
    """The outlines of the shapes lie on the edge of their mask, wherever both are moved."""
    rng = np.random.default_rng(5)
    for _ in range(8):
        item = make_drawing_example(dataset.sample(rng), rng)
        foreground = item.mask[0] > 0.5
        far = np.pad(foreground, 6)
        near = np.zeros_like(foreground)
        for dy in (0, 6, 12):
            for dx in (0, 6, 12):
                near |= far[dy : dy + 256, dx : dx + 256]
        assert item.lines[0][~near].max(initial=0) < 0.05


def test_a_wiped_background_leaves_the_foreground_and_its_outline() -> None:
    ink, mask = np.full((256, 256), 200, np.uint8), np.zeros((256, 256), np.uint8)
    mask[100:150, 100:150] = 255
    left = wipe_background(ink, mask)
    assert (left[98:152, 100:150] == 200).all() and not left[:95].any() and not left[:, 156:].any()


def test_broken_lines_only_lose_ink() -> None:
    ink = np.full((256, 256), 255, np.uint8)
    gaps = break_lines(ink, np.random.default_rng(6))
    assert 0.003 < (gaps == 0).mean() < 0.03 and set(np.unique(gaps)) == {0, 255} and (ink == 255).all()


def test_a_pen_fades_smoothly() -> None:
    strength = random_pen_strength(256, np.random.default_rng(7))
    assert strength.shape == (256, 256) and strength.min() >= 0.1 and strength.max() <= 1 and np.ptp(strength) > 0.3
    assert np.abs(np.diff(strength, axis=0)).max() < 0.1
