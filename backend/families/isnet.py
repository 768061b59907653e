"""Figure masks by ISNet weights that the painter has installed (spec 18, "Masks")."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from backend.imaging.resampling import Box, letterbox_box
from backend.imaging.types import Floats, Gray, Rgb
from backend.networks.isnet import STAGES, ISNet, Widths
from backend.weights.checkpoint import Checkpoint
from backend.weights.library import isnet_prefix
from shared.errors import ErrorCode, LinewashError

SIDE = 1024
"""Side of the square the network sees."""
DILATION = 11
"""Pixels by which a reference's mask grows, all told, in a picture whose longer side is ``SIDE``."""
ONLY_FOR_TRAINING = ("gt_encoder.", "side2.", "side3.", "side4.", "side5.", "side6.")
"""Beginnings of names, after the prefix or without it, of what only training needs."""
_NAMED = 12


class SketchFinder:
    """Weights for line drawings, as ColorizeDiffusion was taught with."""

    def __init__(self, network: ISNet, device: str) -> None:
        self._network, self._device = network, device

    @torch.inference_mode()
    def __call__(self, ink: Gray) -> Gray:
        """(H, W) figure mask 0..255 of (H, W) ink, 255 = line.

        The network sees black lines on white, -1 to 1, squashed to a square.
        """
        sketch = 1 - torch.from_numpy(ink.astype(np.float32)) / 127.5
        seen = _bicubic(sketch.expand(1, 3, -1, -1), SIDE, SIDE)
        share = self._network(seen.to(self._device)).sigmoid().cpu()
        return _bytes(_bicubic(share, *ink.shape))


class PictureFinder:
    """Weights for coloured characters: those of anime-segmentation."""

    def __init__(self, network: ISNet, device: str) -> None:
        self._network, self._device = network, device

    @torch.inference_mode()
    def __call__(self, rgb: Rgb) -> Gray:
        """(h, w) figure mask 0..255 of a picture (h, w, 3), grown by ``DILATION`` in proportion.

        The network sees the picture 0 to 1, centred on black, as its training showed it.  ColorizeDiffusion shows it the
        negative of that, which is taken for a slip (spec Q16): these weights have never seen one.
        """
        height, width = rgb.shape[:2]
        box = letterbox_box(width, height, SIDE)
        picture = torch.from_numpy(rgb.astype(np.float32).transpose(2, 0, 1) / 255)[None]
        share = self._network(_centred(picture, box).to(self._device)).sigmoid().cpu()
        inner = share[..., box.top : box.top + box.height, box.left : box.left + box.width]
        return grown(_bytes(_bicubic(inner, height, width)))


class ThingFinder:
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
        return grown(_bytes((share - low) / (high - low).clamp(min=1e-6)))


def load_isnet(path: Path, device: str = "cpu") -> ISNet:
    """The network with the weights of ``path``, float32, frozen; widths are read from the shapes.

    Raises LinewashError: what ``Checkpoint`` raises, MODEL_KEYS with names that are missing, unexpected or of another shape.
    """
    with Checkpoint(path) as file:
        prefix = isnet_prefix(file.entries)
        held = {name.removeprefix(prefix): shape for name, shape in file.shapes.items()}
        try:
            with torch.device("meta"):
                network = ISNet(*_widths(held))
        except (LookupError, ValueError, RuntimeError) as error:  # RuntimeError: numbers that torch has no tensor for
            raise LinewashError(ErrorCode.MODEL_KEYS, f"{path.name}: {error}") from error
        wanted = network.state_dict()
        _compare(path, held, {name: tuple(weight.shape) for name, weight in wanted.items()})
        stored = {name: file.tensor(prefix + name) for name in wanted}
    floats = {name: weight.float() if weight.is_floating_point() else weight for name, weight in stored.items()}
    network.load_state_dict(floats, assign=True)
    return network.requires_grad_(False).eval().to(device)


def grown(mask: Gray) -> Gray:
    """The mask (h, w) with each pixel the largest around it: ``DILATION`` square at ``SIDE``, smaller in smaller pictures."""
    reach = round((DILATION // 2) * max(mask.shape) / SIDE)
    return np.asarray(cv2.dilate(mask, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)), np.uint8)


def _widths(held: Mapping[str, tuple[int, ...]]) -> tuple[int, int, dict[str, Widths]]:
    stem, channels = held["conv_in.weight"][:2]
    stages: dict[str, Widths] = {}
    for stage in STAGES:
        out, into = held[f"{stage}.rebnconvin.conv_s1.weight"][:2]
        stages[stage] = Widths(into, held[f"{stage}.rebnconv1.conv_s1.weight"][0], out)
    if channels != 3 or min(stem, *(min(w.into, w.inner, w.out) for w in stages.values())) < 1:
        raise ValueError(f"{channels} channels in, {stem} in the stem, {stages}")
    return channels, stem, stages


def _compare(path: Path, held: Mapping[str, tuple[int, ...]], wanted: Mapping[str, tuple[int, ...]]) -> None:
    more = {name for name in held.keys() - wanted.keys() if not name.startswith(ONLY_FOR_TRAINING)}
    wrong = {f"{name} {list(held[name])}" for name in held.keys() & wanted.keys() if held[name] != wanted[name]}
    found: dict[str, Any] = {"missing": wanted.keys() - held.keys(), "unexpected": more, "of another shape": wrong}
    told = [f"{len(names)} {what}: {', '.join(sorted(names)[:_NAMED])}" for what, names in found.items() if names]
    if told:
        raise LinewashError(ErrorCode.MODEL_KEYS, f"{path.name}: {'; '.join(told)}")


def _centred(picture: Tensor, box: Box) -> Tensor:
    """(1, 3, SIDE, SIDE) with the picture (1, 3, h, w) in ``box``, 0 around it."""
    square = torch.zeros(1, 3, SIDE, SIDE)
    inner = F.interpolate(picture, size=(box.height, box.width), mode="bicubic", align_corners=False, antialias=True)
    square[..., box.top : box.top + box.height, box.left : box.left + box.width] = inner.clamp(0, 1)
    return square


def _bicubic(picture: Tensor, height: int, width: int) -> Tensor:
    return F.interpolate(picture, size=(height, width), mode="bicubic", align_corners=False)


def _bytes(share: Tensor) -> Gray:
    """(H, W) uint8 from (1, 1, H, W) 0..1, clamped."""
    values: Floats = share[0, 0].clamp(0, 1).numpy()
    return np.rint(values * 255).astype(np.uint8)
