"""What is drawn of images, and what is learned of them."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from backend.families.diffusion.noise_schedule import alphas_cumprod
from backend.training.colorizediffusion.augment import (
    MULTI_ASPECT,
    Augmentation,
    Crop,
    ReferenceTransform,
    apply_crop,
    center_crop,
    erase_rectangle,
    expand_to_blocks,
    random_crop,
    random_reference_transform,
    transform_reference,
    transform_reference_mask,
    wipe_border,
)
from backend.training.colorizediffusion.batch import CLIP_SIDE, BatchConfig, draw_batch
from backend.training.colorizediffusion.dataset import ImageDataset
from backend.training.colorizediffusion.objective import add_noise, min_snr_weight, squared_errors, training_target
from backend.training.colorizediffusion.warp import warp_images
from tests.unit.training.colorizediffusion.conftest import TINY, draw, settings


def test_framings_lie_inside_and_take_every_crop() -> None:
    how = Augmentation(crops=MULTI_ASPECT, load_size=1100, flip=True)
    drawn = [random_crop(np.random.default_rng(number), how) for number in range(300)]
    for where in drawn:
        assert max(where.height, where.width) <= where.load < 1100
        assert 0 <= where.top <= where.load - where.height and 0 <= where.left <= where.load - where.width
        assert apply_crop(np.zeros((300, 200), np.uint8), where).shape == (where.height, where.width)
    assert {(where.height, where.width) for where in drawn} == set(MULTI_ASPECT)
    assert {where.flipped for where in drawn} == {True, False}
    assert random_crop(np.random.default_rng(0), Augmentation(crops=((64, 64),), load_size=64)).load == 64


def test_framing_keeps_the_aspect_and_mirrors() -> None:
    image = np.zeros((80, 40), np.uint8)
    image[:, 20:] = 255
    assert (apply_crop(image, Crop(20, 20, 20, 0, 0, False))[:, :9] == 0).all()
    assert (apply_crop(image, Crop(20, 20, 20, 0, 0, True))[:, :9] == 255).all()
    assert apply_crop(image, Crop(40, 20, 40, 0, 20, False)).min() == 255


@pytest.mark.parametrize("crop", [(64, 64), (64, 128), (128, 64)])
@pytest.mark.parametrize("shape", [(90, 30), (30, 90), (30, 30), (31, 77)])
def test_the_middle_of_tall_and_wide_images(crop: tuple[int, int], shape: tuple[int, int]) -> None:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    image = np.stack([255 * (rows + 0.5) / shape[0], 255 * (columns + 0.5) / shape[1], 0 * rows], -1).astype(np.uint8)
    shown = apply_crop(image, center_crop(image, crop))
    assert shown.shape == (*crop, 3)
    down, across, _ = shown.reshape(-1, 3).mean(0)
    assert abs(down - 127) < 4 and abs(across - 127) < 4
    longer = max(crop)
    assert abs(float(np.ptp(shown[..., 0])) - 255 * crop[0] / max(longer, longer * shape[0] / min(shape))) < 12


def test_poses_change_place_and_color() -> None:
    color, _, mask = draw(1)
    still = transform_reference(color, ReferenceTransform(48, False, 0.0, 1.0, 1.0, 1.0))
    assert still.shape == (48, 48, 3)
    assert np.array_equal(transform_reference(color, ReferenceTransform(48, True, 0.0, 1.0, 1.0, 1.0))[:, ::-1], still)
    turned = transform_reference(color, ReferenceTransform(48, False, 30.0, 1.0, 1.0, 1.0))
    assert (turned[0, 0] == 255).all()
    assert transform_reference_mask(mask, ReferenceTransform(48, False, 30.0, 1.0, 1.0, 1.0))[0, 0] == 0
    assert transform_reference(color, ReferenceTransform(48, False, 0.0, 1.1, 1.0, 1.0)).mean() > still.mean() + 3
    gray = transform_reference(color, ReferenceTransform(48, False, 0.0, 1.0, 1.0, 0.0)).astype(int)
    assert np.ptp(gray, axis=-1).max() == 0
    drawn = random_reference_transform(np.random.default_rng(0), Augmentation(max_rotation=20, color_jitter=0.1))
    assert 0.9 <= drawn.brightness <= 1.1 and abs(drawn.degrees) <= 20


def test_borders_are_wiped_white_and_no_more() -> None:
    black = np.zeros((60, 60), np.uint8)
    kinds: set[tuple[bool, bool]] = set()
    for number in range(60):
        wiped = wipe_border(np.random.default_rng(number), black, 20)
        assert (wiped[20:40, 20:40] == 0).all()
        kinds.add((bool((wiped[0] == 255).all()), bool((wiped[:, 0] == 255).all())))
    assert kinds == {(a, b) for a in (True, False) for b in (True, False)}
    assert np.array_equal(wipe_border(np.random.default_rng(0), black, 0), black)


def test_erased_masks_only_gain() -> None:
    for number in range(20):
        mask = erase_rectangle(np.random.default_rng(number), np.zeros((50, 70), np.uint8))
        assert 0.01 < (mask == 255).mean() < 0.36


def test_expanded_masks_cover_the_masks_but_for_the_rest() -> None:
    mask = torch.zeros(2, 1, 130, 90)
    mask[0, 0, 10, 10] = 0.7
    mask[1, 0, 125, 5] = 1.0
    grown = expand_to_blocks(mask)
    assert (grown[0, 0, :60, :40] == 0.7).all() and grown[0].sum() == pytest.approx(0.7 * 60 * 40, rel=1e-5)
    assert not grown[1].any()  # below the last whole block


def test_warp_moves_the_control_points() -> None:
    image = torch.zeros(1, 1, 64, 64)
    image[0, 0, 20:23, 30:33] = 1
    corners = [(2.0, 2.0), (2.0, 60.0), (60.0, 2.0), (60.0, 60.0)]
    before = torch.tensor([[(31.0, 21.0), *corners]])
    after = torch.tensor([[(41.0, 31.0), *corners]])
    moved = warp_images(image, before, after)
    y, x = divmod(int(moved.flatten().argmax()), 64)
    assert abs(x - 41) <= 1 and abs(y - 31) <= 1
    # no move at all samples half a pixel off: the grid begins at the edge, as published
    assert float((warp_images(image, before, before)[0, 0, :-1, :-1] - image[0, 0, :-1, :-1]).abs().max()) < 0.8


def test_a_batch_is_a_function_of_its_number(plain: Path) -> None:
    data, how = ImageDataset(plain, masks=True), settings("v15")
    first, second = (draw_batch(data, np.random.default_rng(3), how) for _ in range(2))
    other = draw_batch(data, np.random.default_rng(4), how)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert not torch.equal(first.noise, other.noise)
    assert first.color.shape == first.sketch.shape == (2, 3, 64, 64) and first.reference.shape == (2, 3, 80, 80)
    assert first.noise.shape == first.posterior_noise.shape == (2, 4, 8, 8)
    assert first.mask.shape == (2, 1, 64, 64) and first.reference_mask.shape == (2, 1, 80, 80)
    assert first.color.min() >= -1 and first.color.max() <= 1
    assert float(first.sketch.median()) == -1 and float(first.sketch.max()) > 0.5  # paper -1, lines +1
    assert ((first.thresholds >= 0.05) & (first.thresholds <= 0.95)).all()


def test_shares_that_are_dropped_and_warped(plain: Path) -> None:
    data = ImageDataset(plain, masks=False)
    how = Augmentation(crops=((64, 64),), load_size=65, max_border=0, warp_share=1.0)
    batch = draw_batch(data, np.random.default_rng(0), BatchConfig(200, how, 0.3, 0.2, offset_noise=0.5))
    assert 0.6 < float(batch.reference_kept.mean()) < 0.8
    assert 0.13 < float((batch.sketch == -1).flatten(1).all(1).float().mean()) < 0.28
    assert batch.warp.shape == (200, 2, 10, 2) and float(batch.warp.max()) < CLIP_SIDE + 60
    assert 0.3 < float(batch.noise.mean((2, 3)).std()) < 0.7  # the offset: even over a channel
    assert not len(batch.mask) and not len(draw_batch(data, np.random.default_rng(0), BatchConfig(2, TINY)).warp)


def test_targets_give_back_what_was_noised() -> None:
    clean, noise, time = torch.randn(3, 4, 2, 2), torch.randn(3, 4, 2, 2), torch.tensor([0, 500, 999])
    noisy = add_noise(clean, noise, time)
    signal, noise_scale = (
        torch.tensor(w[time.numpy()]).sqrt().float()[:, None, None, None] for w in (alphas_cumprod(), 1 - alphas_cumprod())
    )
    torch.testing.assert_close(signal * noisy - noise_scale * training_target(clean, noise, time, "v"), clean)
    torch.testing.assert_close(
        (noisy - noise_scale * training_target(clean, noise, time, "eps")) / signal, clean, atol=1e-4, rtol=0
    )
    torch.testing.assert_close(squared_errors(noise + 2, noise), torch.full((3,), 4.0))


def test_min_snr_weights() -> None:
    time = torch.tensor([0, 500, 999])
    ratio = torch.tensor(alphas_cumprod()[time.numpy()] / (1 - alphas_cumprod()[time.numpy()])).float()
    torch.testing.assert_close(min_snr_weight(time, "eps", 5.0), torch.minimum(ratio, torch.tensor(5.0)) / ratio)
    assert float(min_snr_weight(time, "v", 5.0)[2]) == pytest.approx(1.0)
    assert float(min_snr_weight(time, "v", 5.0)[0]) == pytest.approx(5 / (float(ratio[0]) + 1))
    assert not math.isnan(float(min_snr_weight(time, "v", 5.0).sum()))
