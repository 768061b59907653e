"""From probabilities to one color a region: the best bet for seed 0, another coherent choice for every other seed."""

import numpy as np
import torch
from skimage.color import deltaE_ciede2000
from torch import Tensor

from backend.imaging.color import lab_from_rgb
from backend.imaging.types import Bools, Rgb

SIMILARITY_RADIUS = 12.0
"""How far apart, in CIEDE2000, colors may be and still speak for each other."""
TEMPERATURE = 0.35
"""How far a seed may stray from the expected colors; 1 = as often as the network believes in others."""
KERNEL_WIDTH = 0.6
"""Regions whose tokens differ by less than about this (in units of the tokens' spread) stray together."""
FOURIER_FEATURES = 256


def choose_colors(log_prob: Tensor, permitted: Bools, colors: Rgb) -> np.ndarray:
    """(n,) indices of the permitted colors with the most probability around them.

    log_prob: (n, K); permitted: (n, K) bool; colors: (K, 3) uint8.  Many shades of one material share its probability, and the
    single likeliest color may be a rarer thing; so a color is worth that of all colors, each by a Gaussian of its CIEDE2000
    distance.
    """
    lab = lab_from_rgb(colors)
    near = np.exp(-(deltaE_ciede2000(lab[:, None], lab[None]) ** 2) / (2 * SIMILARITY_RADIUS**2))
    worth = log_prob.exp().numpy() @ near.astype(np.float32)
    return np.where(permitted, worth, -np.inf).argmax(1)


def sample_colors(log_prob: Tensor, permitted: Bools, colors: Rgb, tokens: Tensor, seed: int) -> np.ndarray:
    """(n,) indices drawn by ``seed``; tokens (n, D) say which regions are alike, the rest as for ``choose_colors``.

    Independent draws would give every strand of hair a color of its own.  Here each region still follows its own
    probabilities (as in the Gumbel-max trick), but the noise is a smooth random function of what the network knows of the
    region (random Fourier features, Rahimi and Recht 2007), so that regions it takes for one thing make the same choice.
    """
    generator = torch.Generator().manual_seed(seed)
    centerd = tokens.double() - tokens.double().mean(0)
    centerd = centerd / centerd.pow(2).sum(1).mean().sqrt().clamp_min(1e-6)
    direction = torch.randn(tokens.shape[1], FOURIER_FEATURES, generator=generator, dtype=torch.float64) / KERNEL_WIDTH
    phase = torch.rand(FOURIER_FEATURES, generator=generator, dtype=torch.float64) * 2 * torch.pi
    waves = (centerd @ direction + phase).cos() * (2 / FOURIER_FEATURES) ** 0.5
    normal = waves @ torch.randn(FOURIER_FEATURES, log_prob.shape[1], generator=generator, dtype=torch.float64)
    uniform = torch.special.ndtr(normal).clamp(1e-9, 1 - 1e-9)
    strayed = log_prob.double() - TEMPERATURE * (-uniform.log()).log()
    return choose_colors(strayed.log_softmax(-1).float(), permitted, colors)
