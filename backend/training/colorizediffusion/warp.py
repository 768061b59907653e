"""Thin-plate warp of reference images (spec 21.6; Bookstein 1989)."""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

POINTS, SPREAD = 10, 10.0
"""Number of control points, and the standard deviation of their shifts, in pixels."""


def random_control_points(rng: np.random.Generator, count: int, height: int, width: int) -> NDArray[np.float32]:
    """(count, 2, POINTS, 2): for each image, x and y of the points before and after the warp, in pixels.

    Training images are square, so the published order of the ranges (x over the height) makes no difference.
    """
    before = rng.uniform((0, 0), (width, height), (count, POINTS, 2))
    return np.stack([before, before + rng.normal(0, SPREAD, before.shape)], 1).astype(np.float32)


def warp_images(images: Tensor, before: Tensor, after: Tensor) -> Tensor:
    """Images (B, C, H, W) with what was at ``before`` moved to ``after``; points (B, n, 2) as x, y in pixels.

    Bilinear; 0 comes in from outside.
    """
    height, width = images.shape[-2:]
    half = torch.tensor([width / 2, height / 2], device=images.device)
    source, target = (points.float() / half - 1 for points in (before, after))
    y, x = (torch.arange(-1, 1, 2 / size, device=images.device)[:size] for size in (height, width))
    grid = torch.stack(torch.meshgrid(x, y, indexing="xy"), -1).reshape(1, -1, 2).expand(len(images), -1, -1)
    # sampling looks backward: the spline tells for each pixel of the result how far away its source lies
    position = grid + _evaluate_spline(target, source - target, grid)
    return F.grid_sample(images.float(), position.reshape(-1, height, width, 2), align_corners=False).to(images)


def _evaluate_spline(knots: Tensor, values: Tensor, at: Tensor) -> Tensor:
    """The spline with ``values`` (B, n, 2) at ``knots`` (B, n, 2), evaluated ``at`` (B, m, 2): r^2 ln r and an affine part."""
    size = knots.shape[1]
    knots_affine, at_affine = (torch.cat([torch.ones_like(points[..., :1]), points], -1) for points in (knots, at))
    # Bookstein's linear system; its last rows keep the kernel's weights free of an affine part.
    system = F.pad(_kernel(knots, knots), (0, 3, 0, 3))
    system[:, :size, size:] = knots_affine
    system[:, size:, :size] = knots_affine.transpose(1, 2)
    weights = torch.linalg.solve(system, F.pad(values, (0, 0, 0, 3)))
    return _kernel(at, knots) @ weights[:, :size] + at_affine @ weights[:, size:]


def _kernel(a: Tensor, b: Tensor) -> Tensor:
    """(B, m, n): r^2 ln r of the distances r between points (B, m, 2) and (B, n, 2)."""
    r = (a[:, :, None] - b[:, None]).square().sum(-1).sqrt()
    # The 1e-6 keeps 0 * log(0) at knots from becoming NaN.
    return r**2 * torch.log(r + 1e-6)
