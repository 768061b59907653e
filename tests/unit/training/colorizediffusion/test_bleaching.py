"""Background bleaching to the letter (spec 21.4), and what else v2's background stage draws for it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from backend.training.colorizediffusion.batch import Batch, draw_batch
from backend.training.colorizediffusion.dataset import ImageDataset
from backend.training.colorizediffusion.stages.bleaching import background_reference, erase_background_lines, whiten_target
from backend.training.colorizediffusion.stages.stage import StartCheckpoint
from tests.unit.training.colorizediffusion.conftest import settings
from tests.unit.training.colorizediffusion.runs import make_stage

THRESHOLDS = torch.tensor([0.5, 0.2])
MASK = torch.tensor([[0.0, 0.2, 0.21, 0.5, 0.51, 1.0]]).expand(2, 1, 1, 6)
"""At each row's threshold, just above it, and at the ends."""
FOREGROUND = torch.tensor([[False, False, False, False, True, True], [False, False, True, True, True, True]])[:, None, None]
IMAGE = torch.linspace(-0.9, 0.8, 36).reshape(2, 3, 1, 6)
NEVER, ALWAYS = torch.tensor([False, False]), torch.tensor([True, True])


def test_lines_outside_the_character_are_always_paper() -> None:
    erased = erase_background_lines(IMAGE, MASK, THRESHOLDS)
    assert torch.equal(erased, torch.where(FOREGROUND, IMAGE, torch.tensor(-1.0)))


def test_the_target_is_white_outside_the_character_where_it_is_drawn_so() -> None:
    assert torch.equal(whiten_target(IMAGE, MASK, THRESHOLDS, NEVER), IMAGE)
    white = torch.where(FOREGROUND, IMAGE, torch.tensor(1.0))
    assert torch.equal(whiten_target(IMAGE, MASK, THRESHOLDS, ALWAYS), white)
    mixed = whiten_target(IMAGE, MASK, THRESHOLDS, torch.tensor([False, True]))
    assert torch.equal(mixed[0], IMAGE[0]) and torch.equal(mixed[1], white[1])


def test_the_background_reference_is_the_reference_where_its_mask_is_at_most_the_threshold() -> None:
    whiteness = torch.tensor([0.95, 0.97])
    bleached = torch.where(FOREGROUND, torch.tensor(1.0), IMAGE)
    assert torch.equal(background_reference(IMAGE, MASK, THRESHOLDS, NEVER, whiteness), bleached)
    white = background_reference(IMAGE, MASK, THRESHOLDS, torch.tensor([True, False]), whiteness)
    assert torch.equal(white[0], torch.full_like(IMAGE[0], 0.95)) and torch.equal(white[1], bleached[1])


def bleached_and_plain(plain: Path, v2_checkpoint: Path, number: int = 1, share: float = 0.5) -> tuple[Batch, Batch]:
    """A batch of the stage, and what it was made of."""
    config = replace(settings("v2-background", size=12), white_background=share)
    stage = make_stage("v2-background", plain, StartCheckpoint(v2_checkpoint), config)
    return stage.batch(np.random.default_rng(number)), draw_batch(stage.dataset, np.random.default_rng(number), config)


def test_a_batch_is_bleached_by_each_row_s_own_thresholds(plain: Path, v2_checkpoint: Path) -> None:
    batch, before = bleached_and_plain(plain, v2_checkpoint)
    assert 0 < int(batch.has_white_background.sum()) < 12
    for row in range(12):
        sketch_threshold, reference_threshold = (float(value) for value in batch.thresholds[row])
        outside = (batch.mask[row] <= sketch_threshold).expand(3, -1, -1)
        assert bool((batch.sketch[row][outside] == -1).all()) and bool(outside.any())
        assert torch.equal(batch.sketch[row][~outside], before.sketch[row][~outside])
        assert torch.equal(batch.color[row][~outside], before.color[row][~outside])
        kept = (batch.reference_mask[row] <= reference_threshold).expand(3, -1, -1)
        if batch.has_white_background[row]:
            assert bool((batch.color[row][outside] == 1).all())
            assert bool((batch.background[row] == batch.whiteness[row]).all())
            assert 0.95 <= float(batch.whiteness[row]) <= 1.0
        else:
            assert torch.equal(batch.color[row], before.color[row])
            assert torch.equal(batch.background[row][kept], before.reference[row][kept])
            assert bool((batch.background[row][~kept] == 1).all())
    assert torch.equal(batch.reference, before.reference)  # its tokens are those of the whole image
    assert len(batch.whiteness.unique()) == 12


def test_thresholds_and_shares_are_as_specified(plain: Path) -> None:
    config = settings("v2-background", size=400)
    assert config.white_background == 0.05 and config.reference_dropout == 0.5 and config.offset_noise == 0.05
    batch = draw_batch(ImageDataset(plain, masks=True), np.random.default_rng(0), config)
    assert 0.01 <= float(batch.thresholds.min()) < 0.03 and 0.97 < float(batch.thresholds.max()) <= 0.99
    assert 0.02 < float(batch.has_white_background.float().mean()) < 0.09
    assert (batch.reference_size == 96).all() and batch.reference_size.shape == (400, 2)


def test_masks_are_united_with_another_image_s_where_that_is_asked_for(plain: Path) -> None:
    data, config = ImageDataset(plain, masks=True), settings("v2-background", size=40)
    alone = draw_batch(data, np.random.default_rng(2), config)
    merged = draw_batch(data, np.random.default_rng(2), replace(config, merged_masks=0.5))
    assert (merged.mask >= alone.mask).all()
    grown = (merged.mask > alone.mask).flatten(1).any(1)
    assert 0.2 < float(grown.float().mean()) < 0.7  # half, less those whose other disc lies inside
    assert all(torch.equal(merged[n], alone[n]) for n, name in enumerate(Batch._fields) if name != "mask")
    one = replace(settings("v2-background", size=1), merged_masks=1.0)
    areas = [
        float(draw_batch(data, np.random.default_rng(n), one).mask.sum())
        - float(draw_batch(data, np.random.default_rng(n), settings("v2-background", size=1)).mask.sum())
        for n in range(8)
    ]
    assert min(areas) >= 0 and max(areas) > 10


@pytest.mark.parametrize("context", ["background", "reference"])
def test_the_encoder_sees_whose_tokens_are_asked_for(context: str, plain: Path, v2_checkpoint: Path) -> None:
    start = StartCheckpoint(v2_checkpoint, background_context="background" if context == "background" else "reference")
    stage = make_stage("v2-background", plain, start)
    stage.network()
    assert stage.parts.config.background_context == context
    batch = stage.batch(np.random.default_rng(0))._replace(reference_kept=torch.tensor([1.0, 0.0]))
    seen: list[tuple[object, ...]] = []

    def network(*inputs: object) -> torch.Tensor:
        seen.append(inputs)
        return batch.noise

    stage.predict(network, batch, batch.noise)
    _, _, features, tokens, encoder_inputs, lowered = seen[0]
    own, whole = (stage.encode_tokens(image, batch.warp) for image in (batch.background, batch.reference))
    assert not torch.equal(own, whole)
    torch.testing.assert_close(encoder_inputs.tokens, own if context == "background" else whole)  # type: ignore[attr-defined]
    torch.testing.assert_close(tokens, torch.cat([whole, own], 1) * batch.reference_kept[:, None, None])
    torch.testing.assert_close(features, stage.parts.sketch_encoder(batch.sketch))
    assert lowered.shape == (2, 1, 8, 8)  # type: ignore[attr-defined]
