"""Chooses one color for each region from probabilities: the expected one for seed 0, another coherent one for other seeds."""

import numpy as np
import torch
from skimage.color import deltaE_ciede2000
from torch import Tensor

from backend.imaging.color import lab_from_rgb
from backend.imaging.types import Bools, Rgb

SIMILARITY_RADIUS = 12.0
"""CIEDE2000 distance (a standard deviation) within which colors count towards each other."""
TEMPERATURE = 0.35
"""Of sampling: 1 = as often as the network's probabilities say, 0 = always the expected colors."""
KERNEL_WIDTH = 0.6
"""Regions whose tokens differ by less than about this, in units of the tokens' spread, vary together."""
FOURIER_FEATURES = 256
"""Number of random features that approximate the Gaussian kernel."""


def choose_colors(log_prob: Tensor, permitted: Bools, colors: Rgb) -> np.ndarray:
    """(n,) indices of the permitted colors with the most probability around them.

    log_prob: (n, K); permitted: (n, K) bool; colors: (K, 3) uint8.  Many shades of one material share its probability, so the
    single most probable color may belong to something rarer.  Each color is therefore scored by the probability of all colors,
    weighted by a Gaussian of their CIEDE2000 distance.
    """
    lab = lab_from_rgb(colors)
    near = np.exp(-(deltaE_ciede2000(lab[:, None], lab[None]) ** 2) / (2 * SIMILARITY_RADIUS**2))
    score = log_prob.exp().numpy() @ near.astype(np.float32)
    return np.where(permitted, score, -np.inf).argmax(1)


def sample_colors(log_prob: Tensor, permitted: Bools, colors: Rgb, tokens: Tensor, seed: int) -> np.ndarray:
    """(n,) indices sampled by ``seed``; tokens: (n, D), similar for similar regions; the rest as for ``choose_colors``.

    Independent samples would give every strand of hair a color of its own.  Here each region still follows its own
    probabilities (as in the Gumbel-max trick), but the noise is a smooth random function of the region's token (random Fourier
    features, Rahimi and Recht 2007), so regions that the network takes for one thing get the same noise.
    """
    generator = torch.Generator().manual_seed(seed)
    centered = tokens.double() - tokens.double().mean(0)
    # In units of the tokens' spread, so that KERNEL_WIDTH means the same for every drawing.
    centered = centered / centered.pow(2).sum(1).mean().sqrt().clamp_min(1e-6)
    direction = torch.randn(tokens.shape[1], FOURIER_FEATURES, generator=generator, dtype=torch.float64) / KERNEL_WIDTH
    phase = torch.rand(FOURIER_FEATURES, generator=generator, dtype=torch.float64) * 2 * torch.pi
    features = (centered @ direction + phase).cos() * (2 / FOURIER_FEATURES) ** 0.5
    # a Gaussian process over tokens for each color, whose values become Gumbel noise
    normal = features @ torch.randn(FOURIER_FEATURES, log_prob.shape[1], generator=generator, dtype=torch.float64)
    # From Gaussian to uniform by its distribution function, then to Gumbel noise; the clamp keeps the logarithms finite.
    uniform = torch.special.ndtr(normal).clamp(1e-9, 1 - 1e-9)
    perturbed = log_prob.double() - TEMPERATURE * (-uniform.log()).log()
    return choose_colors(perturbed.log_softmax(-1).float(), permitted, colors)
