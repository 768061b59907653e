"""Arrays made of label maps."""

from dataclasses import replace

import numpy as np

from backend.contract.drawing import Drawing, Reference
from backend.families.mini.features import GRID, allowed_pairs, region_features
from backend.families.mini.inputs import cut_reference, references_for_matching
from backend.families.mini.reference_palette import allowed_regions, build_palette, palette_layer_weights
from backend.networks.mini.flats import CELLS
from shared.protocol import ReferenceRole


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


def test_figure_uses_figure_unless_there_is_none() -> None:
    figure = np.array([True, False])
    assert allowed_pairs(figure, np.array([True, True, False])).tolist() == [[True, True, False], [False, False, True]]
    assert allowed_pairs(figure, np.array([True, True])).tolist() == [[True, True], [True, True]]


def test_roles_keep_references_apart(drawing: Drawing) -> None:
    first, second = drawing.references
    for_figure = cut_reference(Reference(first.rgb, first.mask, ReferenceRole.FOREGROUND))
    for_ground = cut_reference(Reference(second.rgb, second.mask, ReferenceRole.BACKGROUND))
    figure_row, ground_row = allowed_regions(np.array([True, False]), (for_figure, for_ground))
    boundary = len(for_figure.foreground)
    assert figure_row[:boundary].any() and not figure_row[boundary:].any()
    assert ground_row[boundary:].any() and not ground_row[:boundary].any()


def test_a_drawing_without_a_figure_keeps_nothing_apart(drawing: Drawing) -> None:
    assert references_for_matching(drawing) == drawing.references
    bare = replace(drawing, regions=replace(drawing.regions, foreground=np.zeros_like(drawing.regions.foreground)))
    tokens = tuple(cut_reference(r) for r in references_for_matching(bare))
    assert allowed_regions(np.array([False]), tokens).all()
    everything = {tuple(c) for r in drawing.references for c in r.rgb[r.mask > 127].tolist()}
    assert {tuple(c) for t in tokens for c in t.palette.tolist()} & everything


def test_a_side_without_a_reference_may_use_all(drawing: Drawing) -> None:
    first = drawing.references[0]
    tokens = cut_reference(Reference(first.rgb, first.mask, ReferenceRole.FOREGROUND))
    ground_row = allowed_regions(np.array([False]), (tokens,))[0]
    assert ground_row.any()


def test_an_offer_of_two_references_lines_up(drawing: Drawing) -> None:
    tokens = tuple(cut_reference(r) for r in references_for_matching(drawing))
    given = build_palette(drawing.regions.foreground, tokens)
    most = max(len(t.palette_index) for t in tokens)
    assert given.palette.entry.shape == (1, 2 * most) and given.allowed.shape == (1, drawing.regions.count, 2 * most)
    assert given.palette.size == len(given.colors) == sum(len(t.palette) for t in tokens)
    valid = given.images.valid.reshape(-1)
    assert not given.allowed[0][:, ~valid].any()
    shown = given.palette.entry[0][valid].numpy()
    expected = np.concatenate([t.palette[t.palette_index] for t in tokens])
    np.testing.assert_array_equal(given.colors[shown], expected)
    shares = given.palette.shares[0].numpy().reshape(2, CELLS**2, -1)
    assert shares[0, :, len(tokens[0].palette) :].sum() == 0 and shares[1, :, : len(tokens[0].palette)].sum() == 0
    assert shares.sum(-1).max() <= 1 + 1e-5


def test_cells_follow_the_roles_like_regions(drawing: Drawing) -> None:
    first, second = drawing.references
    tokens = tuple(
        cut_reference(Reference(r.rgb, r.mask, role))
        for r, role in ((first, ReferenceRole.FOREGROUND), (second, ReferenceRole.BACKGROUND))
    )
    sides = palette_layer_weights(tokens).reshape(2, CELLS**2, 2)
    assert sides[0, :, 0].sum() == 0 and sides[1, :, 1].sum() == 0
    assert sides[0, :, 1].sum() > 0 and sides[1, :, 0].sum() > 0


def test_a_region_is_foreground_when_more_than_half_of_it_is() -> None:
    labels, mask = np.zeros((256, 256), np.int32), np.zeros((256, 256), np.uint8)
    mask[:, :128] = 255
    assert not region_features(labels, 1, mask).foreground[0]
    mask[0, 128] = 255
    assert region_features(labels, 1, mask).foreground[0]


def test_a_reference_is_cut_into_160_regions_at_most() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8).repeat(8, 0).repeat(8, 1)[:1024, :1024]
    reference = Reference(rgb, np.full(rgb.shape[:2], 255, np.uint8), ReferenceRole.BOTH)
    assert 100 < len(cut_reference(reference).palette_index) <= 160
