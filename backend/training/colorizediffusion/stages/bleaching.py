"""Background bleaching: what the background stage shows and asks of its networks (spec 21.4).

Masks are 1 in the foreground; what is at most the threshold is background.
"""

import torch
from torch import Tensor

WHITE, PAPER = 1.0, -1.0
"""Of an image, and of a sketch, whose lines are 1."""


def _is_background(mask: Tensor, thresholds: Tensor) -> Tensor:
    """Of masks (B, 1, h, w) and thresholds (B,)."""
    return mask <= thresholds[:, None, None, None]


def whiten_target(color: Tensor, mask: Tensor, thresholds: Tensor, is_white: Tensor) -> Tensor:
    """Images (B, 3, H, W) in -1..1 with a white background in the rows where ``is_white`` (B,) holds.

    mask: (B, 1, H, W).  thresholds: (B,), the sketch's.
    """
    return torch.where(_is_background(mask, thresholds) & is_white[:, None, None, None], WHITE, color)


def erase_background_lines(sketch: Tensor, mask: Tensor, thresholds: Tensor) -> Tensor:
    """Sketches (B, 3, H, W) without lines in the background, in every row, so that it has to be invented.

    mask: (B, 1, H, W).  thresholds: (B,), the sketch's.
    """
    return torch.where(_is_background(mask, thresholds), PAPER, sketch)


def background_reference(reference: Tensor, mask: Tensor, thresholds: Tensor, is_white: Tensor, whiteness: Tensor) -> Tensor:
    """The background reference (B, 3, R, R) in -1..1.

    Where ``is_white`` (B,) holds it is nothing but that row's ``whiteness`` (B,); elsewhere it is the reference with its
    foreground made white.  mask: (B, 1, R, R).  thresholds: (B,), the reference's.
    """
    bleached = torch.where(_is_background(mask, thresholds), reference, WHITE)
    return torch.where(is_white[:, None, None, None], whiteness[:, None, None, None], bleached)
