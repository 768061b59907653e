"""Which colors of the references each region may take."""

import numpy as np

from backend.contract.drawing import Drawing, Reference
from backend.families.mini.inputs import cut_reference, references_for_matching
from backend.families.mini.reference_palette import allowed_regions, build_palette, palette_layer_weights
from backend.networks.mini.flats import CELLS
from shared.protocol import ReferenceRole


def test_roles_keep_references_apart(drawing: Drawing) -> None:
    first, second = drawing.references
    for_foreground = cut_reference(Reference(first.rgb, first.mask, ReferenceRole.FOREGROUND, first.size))
    for_background = cut_reference(Reference(second.rgb, second.mask, ReferenceRole.BACKGROUND, second.size))
    foreground_row, background_row = allowed_regions(np.array([True, False]), (for_foreground, for_background))
    boundary = len(for_foreground.foreground)
    assert foreground_row[:boundary].any() and not foreground_row[boundary:].any()
    assert background_row[boundary:].any() and not background_row[:boundary].any()


def test_a_layer_without_a_reference_may_use_all(drawing: Drawing) -> None:
    first = drawing.references[0]
    tokens = cut_reference(Reference(first.rgb, first.mask, ReferenceRole.FOREGROUND, first.size))
    background_row = allowed_regions(np.array([False]), (tokens,))[0]
    assert background_row.any()


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
        cut_reference(Reference(r.rgb, r.mask, role, r.size))
        for r, role in ((first, ReferenceRole.FOREGROUND), (second, ReferenceRole.BACKGROUND))
    )
    sides = palette_layer_weights(tokens).reshape(2, CELLS**2, 2)
    assert sides[0, :, 0].sum() == 0 and sides[1, :, 1].sum() == 0
    assert sides[0, :, 1].sum() > 0 and sides[1, :, 0].sum() > 0
