"""Labels at canvas size: borders under the canvas-size lines, thin regions kept."""

import cv2
import numpy as np
import pytest

from backend.imaging.resize import resize
from backend.imaging.segmentation.label_upsampling import upsample_labels, upsample_mask
from backend.imaging.segmentation.regions import merge_and_split, segment


def _thin_drawing(side: int) -> np.ndarray:
    ink = np.zeros((side, side), np.uint8)
    for k, radius in enumerate((0.42, 0.3, 0.285, 0.12)):
        middle = (round(side * (0.5 + 0.01 * k)), round(side * 0.5))
        cv2.circle(ink, middle, round(side * radius), 255, max(1, side // 400), cv2.LINE_AA)
    cv2.line(ink, (0, side // 3), (side - 1, side // 2), 255, max(1, side // 400), cv2.LINE_AA)
    return ink


@pytest.mark.parametrize("scale", [2, 3.3, 8])
def test_borders_lie_under_thin_canvas_lines(scale: float) -> None:
    big = _thin_drawing(round(256 * scale))
    labels = segment(resize(big, 256, 256), 0.04).labels
    upsampled = upsample_labels(labels, big).astype(int)
    cells = np.minimum((np.arange(len(big)) * 256 / len(big)).astype(int), 255)
    nearest = labels[cells[:, None], cells]
    assert _inked(upsampled, big) > 0.94  # the rest are closed gaps, and slivers narrower than a cell
    assert _inked(upsampled, big) > _inked(nearest, big) + 0.15
    assert (np.bincount(upsampled.ravel()) > 0).all()
    assert (upsampled == nearest).mean() > 0.97


def _inked(labels: np.ndarray, ink: np.ndarray) -> float:
    """Share of the border between regions that has ink on one side at least."""
    across, down = labels[:, 1:] != labels[:, :-1], labels[1:] != labels[:-1]
    over = [np.maximum(ink[:, 1:], ink[:, :-1])[across], np.maximum(ink[1:], ink[:-1])[down]]
    return float((np.concatenate(over) > 96).mean())


def test_every_region_survives_even_one_cell_wide() -> None:
    labels = np.zeros((64, 64), np.int32)
    labels[20, 10:50] = 1
    labels[40:42, 30] = 2
    labels[np.arange(5, 60), np.arange(5, 60)] = 3
    upsampled = upsample_labels(labels, np.zeros((512, 512), np.uint8))
    areas = np.bincount(upsampled.ravel(), minlength=4) / 64
    expected = np.bincount(labels.ravel(), minlength=4)
    assert (areas > 0.4 * expected).all() and (areas < 2 * expected).all()


def test_borders_without_ink_are_smooth() -> None:
    y, x = np.mgrid[0:64, 0:64]
    labels = (x > y * 0.4 + 15).astype(np.int32)
    upsampled = upsample_labels(labels, np.zeros((512, 512), np.uint8))
    edge = np.argmax(upsampled == 1, axis=1)
    line = (np.arange(512) + 0.5) * 0.4 + 16 * 8 - 0.4 * 4
    assert np.abs(edge - line)[16:-16].max() < 8
    assert np.abs(np.diff(edge.astype(int)))[16:-16].max() <= 4  # nearest cells would jump by 8


def test_the_same_size_is_the_same_labels() -> None:
    labels = np.random.default_rng(0).integers(0, 50, (40, 30)).astype(np.int32)
    assert np.array_equal(upsample_labels(labels, np.zeros((40, 30), np.uint8)), labels)


def test_bands_do_not_show(circle) -> None:
    """A drawing of more rows than one band equals itself turned upside down, but for ties."""
    ink = circle(side=900, thickness=4)
    labels = segment(resize(ink, 300, 300), 0.04).labels
    upsampled = upsample_labels(labels, ink)
    turned = upsample_labels(np.ascontiguousarray(labels[::-1]), np.ascontiguousarray(ink[::-1]))[::-1]
    assert (upsampled != turned).mean() < 0.002
    assert (ink[upsampled != turned] > 128).all()


@pytest.mark.parametrize("shape", [(64, 2048), (1500, 64), (700, 500)])
def test_any_aspect(shape: tuple[int, int]) -> None:
    ink = np.zeros(shape, np.uint8)
    cv2.line(ink, (0, shape[0] // 3), (shape[1] - 1, shape[0] // 2), 255, 3, cv2.LINE_AA)
    small = resize(ink, max(16, shape[1] // 4), max(16, shape[0] // 4))
    regions = merge_and_split(segment(small, 0.04), np.full_like(small, 255), 160)
    upsampled = upsample_labels(regions.labels, ink)
    assert upsampled.shape == shape and np.array_equal(np.unique(upsampled), np.arange(regions.count))


def test_an_upsampled_mask_is_soft_by_one_pixel_only(circle) -> None:
    ink = circle(side=800, thickness=5)
    small = resize(ink, 200, 200)
    found = segment(small, 0.04)
    mask = np.where(found.labels == found.labels[100, 100], 255, 0).astype(np.uint8)
    upsampled = upsample_mask(mask, ink)
    soft = (upsampled > 0) & (upsampled < 255)
    assert 0 < soft.sum() < 4 * np.pi * 0.7 * 800
    assert ink[soft].min() > 96
    assert abs((upsampled > 127).sum() - np.pi * 280**2) < 0.02 * np.pi * 280**2


def _halves() -> np.ndarray:
    labels = np.zeros((64, 64), np.int32)
    labels[:, 32:] = 1
    return labels


def _border(ink: np.ndarray, labels: np.ndarray) -> int:
    """Where the border between both halves lies in the middle row at canvas size."""
    return int(np.argmax(upsample_labels(labels, ink)[256] == 1))


@pytest.mark.parametrize(("cell", "moves"), [(33, True), (34, False)])
def test_a_border_moves_to_a_line_within_two_cells(cell: int, moves: bool) -> None:
    ink = np.zeros((512, 512), np.uint8)
    ink[:, cell * 8 + 4] = 255  # the old border is at the left of cell 32
    assert (abs(_border(ink, _halves()) - (cell * 8 + 4)) <= 1) == moves


@pytest.mark.parametrize(("strength", "moves"), [(36, False), (44, True)])
def test_a_border_moves_to_a_line_that_is_stronger_than_its_ridge(strength: int, moves: bool) -> None:
    ink = np.zeros((512, 512), np.uint8)
    ink[:, 33 * 8 + 4] = strength
    assert (abs(_border(ink, _halves()) - (33 * 8 + 4)) <= 1) == moves


def _narrow() -> np.ndarray:
    """A region of one column of cells, 32, between two others."""
    labels = _halves() * 2
    labels[:, 32] = 1
    return labels


@pytest.mark.parametrize(("ink_level", "survives"), [(95, True), (97, False)])
def test_a_narrow_region_starts_from_pixels_with_little_ink(ink_level: int, survives: bool) -> None:
    ink = np.zeros((512, 512), np.uint8)
    ink[:, 32 * 8 : 33 * 8] = ink_level
    ink[:, 32 * 8] = 0  # or the whole cell would count as a line, and start
    assert bool((upsample_labels(_narrow(), ink) == 1).any()) == survives


def test_a_narrow_region_starts_from_the_middle_half_of_its_cells() -> None:
    for wall, owner in ((2, 0), (3, 1)):  # a line at this pixel of the cell's eight; who owns the pixel before it
        ink = np.zeros((512, 512), np.uint8)
        ink[:, 32 * 8 + wall] = 255
        assert (upsample_labels(_narrow(), ink)[:, 32 * 8 + wall - 1] == owner).all(), wall
