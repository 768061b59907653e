"""References as the flats network reads them."""

from dataclasses import replace

import numpy as np

from backend.contract.drawing import Drawing, Reference
from backend.families.mini.inputs import cut_reference, references_for_matching
from backend.families.mini.reference_palette import allowed_regions
from shared.protocol import ReferenceRole


def test_a_drawing_without_a_foreground_keeps_nothing_apart(drawing: Drawing) -> None:
    assert references_for_matching(drawing) == drawing.references
    bare = replace(drawing, regions=replace(drawing.regions, foreground=np.zeros_like(drawing.regions.foreground)))
    tokens = tuple(cut_reference(r) for r in references_for_matching(bare))
    assert allowed_regions(np.array([False]), tokens).all()
    everything = {tuple(c) for r in drawing.references for c in r.rgb[r.mask > 127].tolist()}
    assert {tuple(c) for t in tokens for c in t.palette.tolist()} & everything


def test_a_reference_is_cut_into_160_regions_at_most() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8).repeat(8, 0).repeat(8, 1)[:1024, :1024]
    reference = Reference(rgb, np.full(rgb.shape[:2], 255, np.uint8), ReferenceRole.BOTH, rgb.shape[:2])
    assert 100 < len(cut_reference(reference).palette_index) <= 160
