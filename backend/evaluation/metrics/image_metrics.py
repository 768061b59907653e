"""Similarity of images as a painter sees them: lines multiplied over colors, in the bounding box of the foreground."""

import numpy as np
import torch
import torch.nn.functional as F
from skimage.metrics import peak_signal_noise_ratio
from torch import Tensor

from backend.imaging.types import Gray, Rgb

SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
WINDOW, SIGMA = 11, 1.5
MIN_CROP_SIDE = (WINDOW - 1) * 2 ** (len(SCALE_WEIGHTS) - 1) + 16
"""Least side of a crop, pixels: the window must fit into the image of the fifth scale."""


def composite_lines(colors: Rgb, line: Gray) -> Rgb:
    """The lines (h, w; dark on white) multiplied over the colors (h, w, 3), as a painter sees them."""
    return (colors.astype(np.uint16) * line[..., None] // 255).astype(np.uint8)


def foreground_box(mask: Gray) -> tuple[slice, slice]:
    """Rows and columns of the mask's bounding box, widened about its middle to MIN_CROP_SIDE where the image is large enough.

    An empty mask gives the whole image.
    """
    inside = mask > 127
    if not inside.any():
        return slice(0, mask.shape[0]), slice(0, mask.shape[1])
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    return _widen(int(rows[0]), int(rows[-1]) + 1, mask.shape[0]), _widen(int(columns[0]), int(columns[-1]) + 1, mask.shape[1])


def _widen(first: int, end: int, length: int) -> slice:
    size = min(length, max(MIN_CROP_SIDE, end - first))
    start = min(max(0, (first + end - size) // 2), length - size)
    return slice(start, start + size)


def to_tensor(image: Rgb) -> Tensor:
    """(1, 3, h, w) float32 0..1."""
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))).float()[None] / 255


def psnr(result: Rgb, truth: Rgb) -> float:
    """Peak signal-to-noise ratio of two images (h, w, 3), dB; inf when they are equal."""
    if np.array_equal(result, truth):
        return float("inf")
    return float(peak_signal_noise_ratio(truth, result, data_range=255))


def ms_ssim(result: Rgb, truth: Rgb) -> float:
    """Multi-scale structural similarity, -1..1, 1 = equal; nan when a side is too short for five scales.

    Z. Wang, E. Simoncelli, A. Bovik: Multiscale structural similarity for image quality assessment, Asilomar 2003: contrast
    and structure of all five scales and luminance of the last, each to the power of its weight, multiplied.  Taken for each
    channel of sRGB and averaged; negative terms count as 0.
    """
    if min(result.shape[:2]) <= (WINDOW - 1) * 2 ** (len(SCALE_WEIGHTS) - 1):
        return float("nan")
    a, b = to_tensor(result), to_tensor(truth)
    product = torch.ones(1, 3)
    for scale, weight in enumerate(SCALE_WEIGHTS):
        if scale:
            odd = [side % 2 for side in a.shape[2:]]
            a, b = F.avg_pool2d(a, 2, padding=odd), F.avg_pool2d(b, 2, padding=odd)
        luminance, structure = _ssim_terms(a, b)
        last = scale == len(SCALE_WEIGHTS) - 1
        product = product * (luminance * structure if last else structure).mean((2, 3)).clamp(min=0) ** weight
    return float(product.mean())


def _ssim_terms(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Luminance and contrast-structure maps (n, c, h', w') of two images 0..1, with the constants of the SSIM paper."""
    c1, c2 = 0.01**2, 0.03**2
    at = torch.arange(WINDOW) - WINDOW // 2
    line = torch.exp(-(at**2) / (2 * SIGMA**2))
    line = (line / line.sum()).view(1, 1, 1, -1).repeat(a.shape[1], 1, 1, 1)

    def blur(x: Tensor) -> Tensor:
        # The Gaussian window is separable: two passes of 11 weights instead of one of 121.
        return F.conv2d(F.conv2d(x, line, groups=x.shape[1]), line.transpose(2, 3), groups=x.shape[1])

    mean_a, mean_b = blur(a), blur(b)
    variance_a, variance_b = blur(a * a) - mean_a**2, blur(b * b) - mean_b**2
    covariance = blur(a * b) - mean_a * mean_b
    luminance = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
    return luminance, (2 * covariance + c2) / (variance_a + variance_b + c2)
