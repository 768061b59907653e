"""Figure masks by ISNet weights that the painter has installed (spec 18, "Masks")."""

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from backend.imaging.resize import Box, letterbox_box
from backend.imaging.types import Floats, Gray, Rgb
from backend.networks.segmentation.isnet import STAGES, ISNet, StageWidths
from backend.weights.detection import isnet_prefix
from backend.weights.safetensors_file import SafetensorsFile
from backend.weights.state_dict import Shapes, WeightSource, build_on_meta, check_state_dict, load_state_dict, size

SIDE = 1024
"""Side of the square the network sees."""
DILATION = 11
"""Pixels by which a reference's mask grows, all told, in a picture whose longer side is ``SIDE``."""
TRAINING_ONLY_PREFIXES = ("gt_encoder.", "side2.", "side3.", "side4.", "side5.", "side6.")
"""Beginnings of names, after the prefix or without it, of what only training needs."""


class SketchSegmenter:
    """Weights for line drawings, as ColorizeDiffusion was taught with."""

    def __init__(self, network: ISNet, device: str) -> None:
        self._network, self._device = network, device

    @torch.inference_mode()
    def __call__(self, ink: Gray) -> Gray:
        """(H, W) figure mask 0..255 of (H, W) ink, 255 = line.

        The network sees black lines on white, -1 to 1, squashed to a square.
        """
        sketch = 1 - torch.from_numpy(ink.astype(np.float32)) / 127.5
        seen = _resize_bicubic(sketch.expand(1, 3, -1, -1), SIDE, SIDE)
        share = self._network(seen.to(self._device)).sigmoid().cpu()
        return _to_mask(_resize_bicubic(share, *ink.shape))


class CharacterSegmenter:
    """Weights for colored characters: those of anime-segmentation."""

    def __init__(self, network: ISNet, device: str) -> None:
        self._network, self._device = network, device

    @torch.inference_mode()
    def __call__(self, rgb: Rgb) -> Gray:
        """(h, w) figure mask 0..255 of a picture (h, w, 3), grown by ``DILATION`` in proportion.

        The network sees the picture 0 to 1, centerd on black, as its training showed it.  ColorizeDiffusion shows it the
        negative of that, which is taken for a slip (spec Q16): these weights have never seen one.
        """
        height, width = rgb.shape[:2]
        box = letterbox_box(width, height, SIDE)
        picture = torch.from_numpy(rgb.astype(np.float32).transpose(2, 0, 1) / 255)[None]
        share = self._network(_letterbox(picture, box).to(self._device)).sigmoid().cpu()
        inner = share[..., box.top : box.top + box.height, box.left : box.left + box.width]
        return dilate_mask(_to_mask(_resize_bicubic(inner, height, width)))


class ObjectSegmenter:
    """Weights for things of all kinds: those of the paper."""

    def __init__(self, network: ISNet, device: str) -> None:
        self._network, self._device = network, device

    @torch.inference_mode()
    def __call__(self, rgb: Rgb) -> Gray:
        """(h, w) figure mask 0..255 of a picture (h, w, 3), stretched to that whole range and grown as ``PictureFinder`` does.

        The network sees the picture -1/2 to 1/2, squashed to a square.
        """
        height, width = rgb.shape[:2]
        picture = torch.from_numpy(rgb.astype(np.float32).transpose(2, 0, 1) / 255 - 0.5)[None]
        seen = F.interpolate(picture, size=(SIDE, SIDE), mode="bilinear", align_corners=False)
        share = self._network(seen.to(self._device)).sigmoid().cpu()
        share = F.interpolate(share, size=(height, width), mode="bilinear", align_corners=False)
        low, high = torch.aminmax(share)
        return dilate_mask(_to_mask((share - low) / (high - low).clamp(min=1e-6)))


def load_isnet(path: Path, device: str = "cpu") -> ISNet:
    """The network with the weights of ``path``, float32, frozen; widths are read from the shapes.

    Raises LinewashError: what ``SafetensorsFile`` raises, MODEL_KEYS with names that are missing, unexpected or of another
    shape.
    """
    with SafetensorsFile(path) as file:
        prefix = isnet_prefix(file.entries)
        network = build_on_meta(lambda: _build(file.shapes, prefix))

        def names(key: str) -> WeightSource:
            return WeightSource(prefix + key)

        unread = [name for name in file.entries if name.removeprefix(prefix).startswith(TRAINING_ONLY_PREFIXES)]
        check_state_dict(file, [(network, names)], unread)
        load_state_dict(
            file, network, names, lambda key: torch.int64 if key.endswith("num_batches_tracked") else torch.float32, device
        )
    return network


def dilate_mask(mask: Gray) -> Gray:
    """The mask (h, w) with each pixel the largest around it: ``DILATION`` square at ``SIDE``, smaller in smaller pictures."""
    reach = round((DILATION // 2) * max(mask.shape) / SIDE)
    return np.asarray(cv2.dilate(mask, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)), np.uint8)


def _build(shapes: Shapes, prefix: str) -> ISNet:
    stages: dict[str, StageWidths] = {}
    for stage in STAGES:
        first, inner = (f"{prefix}{stage}.{part}.conv_s1.weight" for part in ("rebnconvin", "rebnconv1"))
        stages[stage] = StageWidths(size(shapes, first, 1), size(shapes, inner), size(shapes, first))
    return ISNet(3, size(shapes, f"{prefix}conv_in.weight"), stages)


def _letterbox(picture: Tensor, box: Box) -> Tensor:
    """(1, 3, SIDE, SIDE) with the picture (1, 3, h, w) in ``box``, 0 around it."""
    square = torch.zeros(1, 3, SIDE, SIDE)
    inner = F.interpolate(picture, size=(box.height, box.width), mode="bicubic", align_corners=False, antialias=True)
    square[..., box.top : box.top + box.height, box.left : box.left + box.width] = inner.clamp(0, 1)
    return square


def _resize_bicubic(picture: Tensor, height: int, width: int) -> Tensor:
    return F.interpolate(picture, size=(height, width), mode="bicubic", align_corners=False)


def _to_mask(share: Tensor) -> Gray:
    """(H, W) uint8 from (1, 1, H, W) 0..1, clamped."""
    values: Floats = share[0, 0].clamp(0, 1).numpy()
    return np.rint(values * 255).astype(np.uint8)
