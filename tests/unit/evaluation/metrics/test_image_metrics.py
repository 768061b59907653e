"""Likeness of images: PSNR, MS-SSIM, the crop."""

import cv2
import numpy as np
import pytest

from backend.evaluation.metrics.image_metrics import MIN_CROP_SIDE, composite_lines, foreground_box, ms_ssim, psnr


def noise(side: int) -> np.ndarray:
    rough = np.random.default_rng(1).integers(0, 256, (side // 8, side // 8, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(rough, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)


def test_psnr_of_a_constant_error() -> None:
    image = np.full((32, 32, 3), 100, np.uint8)
    assert psnr(image, image) == float("inf")
    assert psnr(image + 10, image) == pytest.approx(10 * np.log10(255**2 / 10**2))


def test_ms_ssim_is_one_for_equals_and_falls_with_damage() -> None:
    image = noise(192)
    assert ms_ssim(image, image) == pytest.approx(1, abs=1e-5)
    scores = [ms_ssim(np.asarray(cv2.GaussianBlur(image, (0, 0), s)), image) for s in (1, 2, 4)]
    assert 1 > scores[0] > scores[1] > scores[2] > 0


def test_ms_ssim_as_pytorch_msssim_has_it() -> None:
    """The value of pytorch-msssim 1.0.0 (data_range 1) for these two images, sides odd and even."""
    image = noise(200)[:, :185]
    assert ms_ssim(np.asarray(cv2.GaussianBlur(image, (0, 0), 3)), image) == pytest.approx(0.903098, abs=2e-4)


def test_an_image_too_small_for_five_scales_is_unknown() -> None:
    assert np.isnan(ms_ssim(noise(160), noise(160)))


def test_lines_darken_and_never_brighten() -> None:
    colors, line = np.full((2, 2, 3), 200, np.uint8), np.array([[255, 0], [128, 255]], np.uint8)
    composite = composite_lines(colors, line)
    assert (
        composite[0, 0].tolist() == [200] * 3 and composite[0, 1].tolist() == [0] * 3 and composite[1, 0].tolist() == [100] * 3
    )


def test_the_box_holds_the_foreground_and_five_scales() -> None:
    mask = np.zeros((400, 300), np.uint8)
    assert foreground_box(mask) == (slice(0, 400), slice(0, 300))
    mask[20:320, 250:290] = 255
    rows, columns = foreground_box(mask)
    assert (rows.start, rows.stop) == (20, 320)
    assert columns.stop == 300 and columns.stop - columns.start == MIN_CROP_SIDE
    assert foreground_box(np.full((100, 120), 255, np.uint8)) == (slice(0, 100), slice(0, 120))
