"""From the pipeline's arrays to the tensors that ColorizeDiffusion reads (spec sections 9, 12.3, 15.4 and 18)."""

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from backend.families.runtime.canvas_frame import CanvasFrame, SideRange, to_model_canvas
from backend.imaging.types import Gray, Rgb

SIDES = SideRange(64, 256, 1536)
"""Multiples of 64, so that the mask's 1/8 of the latent's 1/8 is whole (spec 15.4)."""


def sketch_tensor(ink: Gray, place: CanvasFrame) -> Tensor:
    """(1, 3, H, W), lines +1 and paper -1 (spec 6), from canvas-size ink (255 = line)."""
    lines = torch.from_numpy(to_model_canvas(ink, place)) * 2 - 1
    return lines.expand(1, 3, -1, -1).contiguous()


def blank_sketch(sketch: Tensor) -> Tensor:
    """A sketch without lines, as large as ``sketch``: what the branch without the sketch sees (spec 6)."""
    return torch.full_like(sketch, -1.0)


def frame_mask(mask: Gray, place: CanvasFrame) -> Tensor:
    """(1, 1, H, W) foreground mask 0..1 of the model's image from a canvas-size mask."""
    return torch.from_numpy(to_model_canvas(mask, place))[None, None]


def latent_mask(mask: Tensor) -> Tensor:
    """(B, 1, H, W) to (B, 1, H/8, W/8): bicubic, not clamped (spec 9.2)."""
    return F.interpolate(mask, scale_factor=1 / 8, mode="bicubic", align_corners=False)


def mask_to_tensor(mask: Gray) -> Tensor:
    """(1, 1, h, w) in 0..1 from (h, w) uint8."""
    return torch.from_numpy(mask.astype(np.float32) / 255)[None, None]


def whiten_background(image: Tensor, keep: Tensor) -> Tensor:
    """``image`` (1, 3, h, w) where ``keep`` (1, 1, h, w) is true, white elsewhere (spec 13, "Bleached reference")."""
    return torch.where(keep, image, torch.ones_like(image))


def resize_antialias(image: Tensor, height: int, width: int) -> Tensor:
    """(B, 3, height, width), aspect not kept: bicubic with antialias, for attention injection (spec 16)."""
    return F.interpolate(image, size=(height, width), mode="bicubic", align_corners=False, antialias=True)


def pad_sides(rgb: Rgb, factor: float) -> Rgb:
    """(h, round(w factor), 3): the image with white on both sides (spec 18, "Reference/background")."""
    added = round(rgb.shape[1] * factor) - rgb.shape[1]
    left = added // 2
    return np.asarray(cv2.copyMakeBorder(rgb, 0, 0, left, added - left, cv2.BORDER_CONSTANT, value=(255, 255, 255)), np.uint8)


def pad_mask_sides(mask: Gray, factor: float) -> Gray:
    """``pad_sides`` for the foreground mask of that image: the margin is background."""
    added = round(mask.shape[1] * factor) - mask.shape[1]
    left = added // 2
    return np.asarray(cv2.copyMakeBorder(mask, 0, 0, left, added - left, cv2.BORDER_CONSTANT, value=0), np.uint8)
