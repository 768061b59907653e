"""Arrays computed from label maps."""

import numpy as np

from backend.families.mini.features import GRID, allowed_pairs, region_features


def test_pool_rows_are_shares_of_cells_at_any_size() -> None:
    for side in (256, 320, 512):
        labels = np.zeros((side, side), np.int32)
        labels[:, side // 2 :] = 1
        labels[: side // 8] = -1
        arrays = region_features(labels, 2, np.full((side, side), 255, np.uint8))
        np.testing.assert_allclose(arrays.pool.sum(1), 1, rtol=1e-5)
        left = arrays.pool[0].reshape(GRID, GRID)
        assert left[:, GRID // 2 + 1 :].sum() == 0 and left[: GRID // 8].sum() == 0


def test_geometry_does_not_depend_on_the_working_size() -> None:
    found = []
    for side in (256, 512):
        labels = np.zeros((side, side), np.int32)
        labels[side // 4 : side // 2, side // 4 : side // 2] = 1
        mask = np.where(labels == 1, 255, 0).astype(np.uint8)
        found.append(region_features(labels, 2, mask))
    np.testing.assert_allclose(found[0].geometry, found[1].geometry, atol=2e-3)
    assert found[0].foreground.tolist() == [False, True]


def test_a_region_that_lost_all_its_pixels_has_no_weight() -> None:
    arrays = region_features(np.zeros((256, 256), np.int32), 2, np.zeros((256, 256), np.uint8))
    assert arrays.pool[1].sum() == 0 and np.isfinite(arrays.geometry).all()


def test_foreground_uses_foreground_unless_there_is_none() -> None:
    foreground = np.array([True, False])
    assert allowed_pairs(foreground, np.array([True, True, False])).tolist() == [[True, True, False], [False, False, True]]
    assert allowed_pairs(foreground, np.array([True, True])).tolist() == [[True, True], [True, True]]


def test_a_region_is_foreground_when_more_than_half_of_it_is() -> None:
    labels, mask = np.zeros((256, 256), np.int32), np.zeros((256, 256), np.uint8)
    mask[:, :128] = 255
    assert not region_features(labels, 1, mask).foreground[0]
    mask[0, 128] = 255
    assert region_features(labels, 1, mask).foreground[0]
