"""Thin-plate warp of reference pictures (spec 21.6; Bookstein 1989)."""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

POINTS, SPREAD = 10, 10.0
"""Control points, and the standard deviation of what they are moved by, in pixels."""


def random_control_points(rng: np.random.Generator, count: int, height: int, width: int) -> NDArray[np.float32]:
    """(count, 2, POINTS, 2): for each picture x and y of the points before and after, in pixels.

    Pictures are square in training, so the published order of the ranges (x over the height) is no matter.
    """
    before = rng.uniform((0, 0), (width, height), (count, POINTS, 2))
    return np.stack([before, before + rng.normal(0, SPREAD, before.shape)], 1).astype(np.float32)


def warp_images(pictures: Tensor, before: Tensor, after: Tensor) -> Tensor:
    """Pictures (B, C, H, W) with what was at ``before`` moved to ``after``; points (B, n, 2) as x, y in pixels.

    Bilinear; 0 comes in from outside.
    """
    height, width = pictures.shape[-2:]
    half = torch.tensor([width / 2, height / 2], device=pictures.device)
    source, target = (points.float() / half - 1 for points in (before, after))
    y, x = (torch.arange(-1, 1, 2 / size, device=pictures.device)[:size] for size in (height, width))
    grid = torch.stack(torch.meshgrid(x, y, indexing="xy"), -1).reshape(1, -1, 2).expand(len(pictures), -1, -1)
    position = grid + _evaluate_spline(target, source - target, grid)
    return F.grid_sample(pictures.float(), position.reshape(-1, height, width, 2), align_corners=False).to(pictures)


def _evaluate_spline(knots: Tensor, values: Tensor, at: Tensor) -> Tensor:
    """The spline with ``values`` (B, n, 2) at ``knots`` (B, n, 2), evaluated ``at`` (B, m, 2): r^2 ln r and an affine part."""
    size = knots.shape[1]
    known, asked = (torch.cat([torch.ones_like(points[..., :1]), points], -1) for points in (knots, at))
    system = F.pad(_kernel(knots, knots), (0, 3, 0, 3))
    system[:, :size, size:] = known
    system[:, size:, :size] = known.transpose(1, 2)
    weights = torch.linalg.solve(system, F.pad(values, (0, 0, 0, 3)))
    return _kernel(at, knots) @ weights[:, :size] + asked @ weights[:, size:]


def _kernel(a: Tensor, b: Tensor) -> Tensor:
    r = (a[:, :, None] - b[:, None]).square().sum(-1).sqrt()
    return r**2 * torch.log(r + 1e-6)
