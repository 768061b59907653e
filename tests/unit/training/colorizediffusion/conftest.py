"""A small data set in the published layout, and the tiny checkpoints to begin with."""

import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from backend.training.colorizediffusion.augment import Augmentation
from backend.training.colorizediffusion.batch import BatchConfig
from backend.training.colorizediffusion.stages.stage_table import STAGES
from tests.parity.golden import golden

SIDE, COUNT = 96, 6
TINY = Augmentation(crops=((64, 64),), load_size=80, max_border=4)


def draw(number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """color (96, 96, 3), lines (96, 96) dark on white, mask: a disc on a background of two colors."""
    rng = np.random.default_rng(number)
    colors = rng.integers(40, 220, (3, 3))
    color = np.full((SIDE, SIDE, 3), colors[0], np.uint8)
    color[SIDE // 2 :] = colors[1]
    line, mask = np.full((SIDE, SIDE), 255, np.uint8), np.zeros((SIDE, SIDE), np.uint8)
    at, r = (int(rng.integers(36, 60)), int(rng.integers(36, 60))), int(rng.integers(18, 28))
    cv2.circle(color, at, r, colors[2].tolist(), -1)
    cv2.circle(mask, at, r, 255, -1)
    cv2.circle(line, at, r, 0, 2)
    return color, line, mask


def encoded(image: np.ndarray) -> bytes:
    return bytes(cv2.imencode(".png", image[..., ::-1] if image.ndim == 3 else image)[1])


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Loose files."""
    folder = tmp_path_factory.mktemp("plain")
    for number in range(COUNT):
        for part, image in zip(("color", "sketch", "mask"), draw(number), strict=True):
            (folder / part / "disc").mkdir(parents=True, exist_ok=True)
            (folder / part / "disc" / f"{number}.png").write_bytes(encoded(image))
    return folder


@pytest.fixture(scope="session")
def zipped(plain: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in archives: disc.zip has half of them by their whole names, ai1.zip the others by bare names."""
    folder = tmp_path_factory.mktemp("zipped")
    for part in ("color", "sketch", "mask"):
        (folder / part).mkdir()
        files = sorted((plain / part / "disc").glob("*.png"))
        with zipfile.ZipFile(folder / part / "disc.zip", "w") as archive:
            for path in files[:3]:
                archive.write(path, f"disc/{path.name}")
        with zipfile.ZipFile(folder / part / "ai1.zip", "w") as archive:
            for path in files[3:]:
                archive.write(path, path.name)
    return folder


@pytest.fixture(scope="session")
def v1_checkpoint() -> Path:
    return golden("v1").sd


@pytest.fixture(scope="session")
def v15_checkpoint() -> Path:
    return golden("v1.5").sd


@pytest.fixture(scope="session")
def v2_checkpoint() -> Path:
    return golden("v2").sd


def settings(name: str, size: int = 2, noisy_reference: bool = False) -> BatchConfig:
    """Batches as the stage of that name takes them, but small."""
    info = STAGES[name]
    return BatchConfig(
        batch_size=size,
        augmentation=TINY,
        masks=info.needs_masks,
        noisy_reference=noisy_reference,
        thresholds=info.thresholds,
        encoded_reference=info.encodes_reference,
        bleached_background=name == "v2-background",
    )
