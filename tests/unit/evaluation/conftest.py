"""Drawings of boxes and discs with a known truth, and a family of one small network."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from backend.contract.drawing import Colors, Drawing, ProgressCallback
from backend.contract.family import ColorModel, ModelSpec
from backend.evaluation.pairs import Pair
from backend.imaging.types import Gray, Rgb
from shared.protocol import ColorizeRequest, Finish
from tests.unit.families.mini.shapes import draw
from tests.unit.training.shards import write_shard

SKIN, SHIRT, GROUND = (240, 200, 180), (40, 60, 200), (90, 160, 90)


def boxes(left: int) -> tuple[Gray, Rgb, Gray]:
    """line, color, mask of 200 x 200: a skin box over a shirt box on green, their outlines two pixels wide."""
    color = np.full((200, 200, 3), GROUND, np.uint8)
    line, mask = np.full((200, 200), 255, np.uint8), np.zeros((200, 200), np.uint8)
    for top, rgb in ((30, SKIN), (100, SHIRT)):
        corners = (left, top), (left + 80, top + 70)
        cv2.rectangle(color, *corners, rgb, -1)
        cv2.rectangle(mask, *corners, 255, -1)
        cv2.rectangle(line, *corners, 0, 2)
    color[line < 128] = 0
    return line, color, mask


@pytest.fixture(scope="session")
def boxes_pair() -> Pair:
    line, color, mask = boxes(60)
    _, reference, reference_mask = boxes(90)
    return Pair("000", line, color, mask, reference, reference_mask, True, "made-boxes")


class DiscModel:
    """A family of one small network: two steps, one flat color drawn by the seed; it takes every mask for a disc."""

    spec = ModelSpec("disc-model", "DiscModel", "MIT", (Finish.FLATS, Finish.PAINTED))
    mask_warnings: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._network = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2))

    def _disc(self, shape: tuple[int, ...]) -> Gray:
        mask = np.zeros(shape[:2], np.uint8)
        cv2.circle(mask, (shape[1] // 2, shape[0] // 2), shape[0] // 3, 255, -1)
        return mask

    def segment_drawing(self, ink: Gray) -> Gray:
        return self._disc(ink.shape)

    def segment_reference(self, rgb: Rgb) -> Gray:
        return self._disc(rgb.shape)

    def condition(self, drawing: Drawing, request: ColorizeRequest) -> Any:
        return None

    def denoise(self, condition: Any, request: ColorizeRequest, on_step: ProgressCallback) -> Any:
        for _ in range(2):
            self._network(torch.zeros(1, 2))
        return request.seed

    def decode(self, condition: Any, latent: Any, drawing: Drawing, request: ColorizeRequest) -> Colors:
        gray = 60 * (latent + 1)
        return Colors(np.full((drawing.regions.count, 3), gray, np.uint8), None)


@pytest.fixture(scope="session")
def disc_model() -> ColorModel:
    return DiscModel()


@pytest.fixture(scope="session")
def pair() -> Pair:
    """A drawing, and another one of the same colors as its reference."""
    rng = np.random.default_rng(3)
    colors = rng.integers(60, 256, (6, 3))
    (line, color, mask), (_, reference, reference_mask) = draw(rng, colors), draw(rng, colors)
    return Pair("pair", line, color, mask, reference, reference_mask)


@pytest.fixture(scope="session")
def shard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shard of one example."""
    path = tmp_path_factory.mktemp("shard") / "val.npz"
    write_shard(path, 1, seed=4)
    return path
