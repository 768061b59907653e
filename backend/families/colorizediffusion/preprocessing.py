"""Turns the pipeline's arrays into the input tensors of ColorizeDiffusion (spec sections 9, 12.3, 15.4 and 18)."""

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from backend.families.runtime.canvas_frame import CanvasFrame, SideRange, to_model_canvas
from backend.imaging.bleaching import whiten
from backend.imaging.types import Gray, Rgb

XL_SIDES = SideRange(32, 256, 2048)
"""XL's features are made at 1/32 of the image; the published program allows 768 to 1536 (spec XL 8.6)."""
SIDES = SideRange(64, 256, 1536)
"""With multiples of 64, the mask at 1/8 of the latent's 1/8 has whole sides (spec 15.4)."""


def sketch_tensor(ink: Gray, frame: CanvasFrame) -> Tensor:
    """The sketch (1, 3, H, W) from ink at canvas size: ink 255 (line) becomes +1, 0 (paper) -1 (spec 6)."""
    lines = torch.from_numpy(to_model_canvas(ink, frame)) * 2 - 1
    return lines.expand(1, 3, -1, -1).contiguous()


def blank_sketch(sketch: Tensor) -> Tensor:
    """A sketch without lines of the same size, for the branch without lines (spec 6)."""
    return torch.full_like(sketch, -1.0)


def frame_mask(mask: Gray, frame: CanvasFrame) -> Tensor:
    """The foreground mask (1, 1, H, W) in 0..1 of the model's image, from a mask at canvas size."""
    return torch.from_numpy(to_model_canvas(mask, frame))[None, None]


def latent_mask(mask: Tensor) -> Tensor:
    """Resize a mask (B, 1, H, W) to (B, 1, H/8, W/8): bicubic, not clamped (spec 9.2)."""
    return F.interpolate(mask, scale_factor=1 / 8, mode="bicubic", align_corners=False)


def nearest_latent_mask(mask: Tensor) -> Tensor:
    """As ``latent_mask``, by the nearest pixel (spec XL 6)."""
    return F.interpolate(mask, scale_factor=1 / 8, mode="nearest")


def mask_to_tensor(mask: Gray) -> Tensor:
    """A mask (h, w) uint8 as (1, 1, h, w) in 0..1."""
    return torch.from_numpy(mask.astype(np.float32) / 255)[None, None]


def whiten_background(image: Tensor, keep: Tensor) -> Tensor:
    """``image`` (1, 3, h, w) where ``keep`` (1, 1, h, w) is true, white elsewhere (spec 13, "Bleached reference")."""
    return torch.from_numpy(whiten(image.numpy(force=True), keep.numpy(force=True), 1.0)).to(image)


def resize_antialias(image: Tensor, height: int, width: int) -> Tensor:
    """Resize to (B, 3, height, width), bicubic with antialiasing; the aspect ratio may change (spec 16)."""
    return F.interpolate(image, size=(height, width), mode="bicubic", align_corners=False, antialias=True)


def squash(image: Tensor, height: int, width: int) -> Tensor:
    """Resize to (B, 3, height, width) for the VAE: bicubic without antialiasing, not clamped (spec 12.3)."""
    return F.interpolate(image, size=(height, width), mode="bicubic", align_corners=False)


def fit_background(image: Tensor, height: int, width: int) -> Tensor:
    """The largest part of ``image`` (B, 3, h, w) at its top left that has the aspect ratio of height and width, of that size.

    Bilinear with antialiasing (spec 15.5, XL 6.2).
    """
    h, w = image.shape[-2:]
    # Whole pixels: at least one, and no more than there are.
    rows, columns = min(h, max(1, round(w * height / width))), min(w, max(1, round(h * width / height)))
    cropped = image[..., :rows, :columns]
    return F.interpolate(cropped, size=(height, width), mode="bilinear", align_corners=False, antialias=True)


def pad_sides(rgb: Rgb, factor: float) -> Rgb:
    """Pad an image with white on both sides to (h, round(w * factor), 3) (spec 18, "Reference/background")."""
    margin = round(rgb.shape[1] * factor) - rgb.shape[1]
    left = margin // 2
    return np.asarray(cv2.copyMakeBorder(rgb, 0, 0, left, margin - left, cv2.BORDER_CONSTANT, value=(255, 255, 255)), np.uint8)


def pad_mask_sides(mask: Gray, factor: float) -> Gray:
    """Pad the foreground mask of an image as ``pad_sides`` does; the margin is background."""
    margin = round(mask.shape[1] * factor) - mask.shape[1]
    left = margin // 2
    return np.asarray(cv2.copyMakeBorder(mask, 0, 0, left, margin - left, cv2.BORDER_CONSTANT, value=0), np.uint8)
