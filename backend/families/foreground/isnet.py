"""Foreground masks by ISNet weights that the painter has installed (spec 18, "Masks")."""

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from backend.families.foreground.published_weights import load_published
from backend.imaging.resize import Box, letterbox_box
from backend.imaging.types import Floats, Gray, Rgb
from backend.networks.segmentation.isnet import STAGES, ISNet, StageWidths
from backend.weights.detection import isnet_prefix
from backend.weights.state_dict import Shapes, axis_length

SIDE = 1024
"""Side of the network's square input, pixels."""
DILATION = 11
"""Side of the square by which a reference's mask is dilated, pixels, in an image whose longer side is ``SIDE``."""
TRAINING_ONLY_PREFIXES = ("gt_encoder.", "side2.", "side3.", "side4.", "side5.", "side6.")
"""Prefixes of names, after the file's own prefix or without it, of what only training needs."""


class SketchSegmenter:
    """Segments line drawings, with the weights that ColorizeDiffusion was trained with."""

    def __init__(self, network: ISNet) -> None:
        self._network = network

    @torch.inference_mode()
    def __call__(self, ink: Gray) -> Gray:
        """(H, W) foreground mask 0..255 of (H, W) ink, 255 = line.

        The network sees black lines on white, -1 to 1, stretched to a square.
        """
        sketch = 1 - torch.from_numpy(ink.astype(np.float32)) / 127.5
        square = _resize_bicubic(sketch.expand(1, 3, -1, -1), SIDE, SIDE)
        share = self._network(square).sigmoid()
        return _to_mask(_resize_bicubic(share, *ink.shape))


class CharacterSegmenter:
    """Segments colored characters, with the weights of anime-segmentation."""

    def __init__(self, network: ISNet) -> None:
        self._network = network

    @torch.inference_mode()
    def __call__(self, rgb: Rgb) -> Gray:
        """(h, w) foreground mask 0..255 of an image (h, w, 3), dilated as ``dilate_mask`` says.

        The network sees the image 0 to 1, centered on black, as in its training.  ColorizeDiffusion shows it the negative of
        that, which is taken for a slip (spec Q16): these weights were trained without negatives.
        """
        height, width = rgb.shape[:2]
        box = letterbox_box(width, height, SIDE)
        image = torch.from_numpy(rgb.astype(np.float32).transpose(2, 0, 1) / 255)[None]
        share = self._network(_letterbox(image, box)).sigmoid()
        inner = share[..., box.top : box.top + box.height, box.left : box.left + box.width]
        return dilate_mask(_to_mask(_resize_bicubic(inner, height, width)))


class ObjectSegmenter:
    """Segments objects of all kinds, with the weights of ISNet's paper."""

    def __init__(self, network: ISNet) -> None:
        self._network = network

    @torch.inference_mode()
    def __call__(self, rgb: Rgb) -> Gray:
        """(h, w) foreground mask of an image (h, w, 3), stretched to the whole range 0..255 and dilated by ``dilate_mask``.

        The network sees the image -1/2 to 1/2, stretched to a square.
        """
        height, width = rgb.shape[:2]
        image = torch.from_numpy(rgb.astype(np.float32).transpose(2, 0, 1) / 255 - 0.5)[None]
        square = F.interpolate(image, size=(SIDE, SIDE), mode="bilinear", align_corners=False)
        share = self._network(square).sigmoid()
        share = F.interpolate(share, size=(height, width), mode="bilinear", align_corners=False)
        # A mask of one value has no range, and must not be divided by 0.
        low, high = torch.aminmax(share)
        return dilate_mask(_to_mask((share - low) / (high - low).clamp(min=1e-6)))


def load_isnet(path: Path, device: str = "cpu") -> ISNet:
    """ISNet with the weights of ``path``; its widths are read from the shapes.

    See ``load_published`` for the errors and how the network is called.
    """
    return load_published(path, isnet_prefix, _build, lambda name: name.startswith(TRAINING_ONLY_PREFIXES), device)


def dilate_mask(mask: Gray) -> Gray:
    """The mask (h, w), each pixel the maximum of a square around it: ``DILATION`` wide at ``SIDE``, else in proportion."""
    reach = round((DILATION // 2) * max(mask.shape) / SIDE)
    return np.asarray(cv2.dilate(mask, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)), np.uint8)


def _build(shapes: Shapes, prefix: str) -> ISNet:
    stages: dict[str, StageWidths] = {}
    for stage in STAGES:
        first, inner = (f"{prefix}{stage}.{part}.conv_s1.weight" for part in ("rebnconvin", "rebnconv1"))
        stages[stage] = StageWidths(axis_length(shapes, first, 1), axis_length(shapes, inner), axis_length(shapes, first))
    return ISNet(3, axis_length(shapes, f"{prefix}conv_in.weight"), stages)


def _letterbox(image: Tensor, box: Box) -> Tensor:
    """(1, 3, SIDE, SIDE) with the image (1, 3, h, w) in ``box``, 0 around it."""
    square = torch.zeros(1, 3, SIDE, SIDE)
    inner = F.interpolate(image, size=(box.height, box.width), mode="bicubic", align_corners=False, antialias=True)
    square[..., box.top : box.top + box.height, box.left : box.left + box.width] = inner.clamp(0, 1)
    return square


def _resize_bicubic(image: Tensor, height: int, width: int) -> Tensor:
    return F.interpolate(image, size=(height, width), mode="bicubic", align_corners=False)


def _to_mask(share: Tensor) -> Gray:
    """(H, W) uint8 from (1, 1, H, W) 0..1, clamped."""
    values: Floats = share[0, 0].clamp(0, 1).numpy()
    return np.rint(values * 255).astype(np.uint8)
