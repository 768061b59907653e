"""Small drawings made of boxes and discs, prepared once; and the shipped model."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from backend.contract.drawing import Drawing, Reference
from backend.contract.family import ColorModel
from backend.evaluation.pairs import Pair
from backend.families.mini.family import Mini
from backend.imaging.segmentation.regions import merge_and_split, segment
from backend.networks.mini.flats import Flats
from backend.training.mini.precompute_warp import precompute_warps
from backend.training.mini.preprocess import prepare_new
from backend.training.mini.shard_dataset import Store
from backend.weights.shipped_model import SHIPPED, ModelFolder
from shared.protocol import ReferenceRole

SHAPES = ((90, 80, 50), (170, 90, 40), (128, 170, 60), (110, 160, 24), (150, 180, 18))


def _shape(picture: np.ndarray, number: int, color: tuple[int, ...] | int, width: int, at: tuple[int, int, int]) -> None:
    x, y, r = at
    if number % 2:
        cv2.circle(picture, (x, y), r, color, width, cv2.LINE_AA)
    else:
        cv2.rectangle(picture, (x - r, y - r), (x + r, y + r), color, width, cv2.LINE_AA)


def draw(rng: np.random.Generator, colors: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """line (256, 256) dark on white, color (256, 256, 3) and mask; colors: (6, 3), the first is the ground's."""
    color = np.full((256, 256, 3), colors[0], np.uint8)
    line, mask = np.full((256, 256), 255, np.uint8), np.zeros((256, 256), np.uint8)
    for number, (x, y, r) in enumerate(SHAPES):
        at = (x + int(rng.integers(-6, 7)), y + int(rng.integers(-6, 7)), r + int(rng.integers(-4, 5)))
        _shape(color, number, tuple(int(v) for v in colors[number + 1]), -1, at)
        _shape(line, number, 255, -1, at)
        _shape(line, number, 0, 2, at)
        _shape(color, number, (20, 20, 20), 2, at)
        _shape(mask, number, 255, -1, at)
    return line, color, mask


def write_shard(path: Path, sets: int, seed: int, source: str = "synthetic") -> None:
    """A shard as ``backend.training.mini.preprocess`` reads it."""
    rng = np.random.default_rng(seed)
    columns: dict[str, list[np.ndarray]] = {k: [] for k in ("line", "color", "mask", "ref", "refmask")}
    for _ in range(sets):
        colors = rng.integers(60, 256, (6, 3))
        (line, color, mask), (_, ref, refmask) = draw(rng, colors), draw(rng, colors)
        for key, value in zip(columns, (line, color, mask, ref, refmask), strict=True):
            columns[key].append(value)
    np.savez(path, **{k: np.stack(v) for k, v in columns.items()}, source=np.array([source] * sets))


@pytest.fixture(scope="session")
def pair() -> Pair:
    """A drawing, and another one of the same colors as its reference."""
    rng = np.random.default_rng(3)
    colors = rng.integers(60, 256, (6, 3))
    (line, color, mask), (_, reference, reference_mask) = draw(rng, colors), draw(rng, colors)
    return Pair("pair", line, color, mask, reference, reference_mask)


@pytest.fixture(scope="session")
def shard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One set as a shard."""
    path = tmp_path_factory.mktemp("shard") / "val.npz"
    write_shard(path, 1, seed=4)
    return path


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of prepared shards: 12 sets to train on, 3 of another source."""
    folder = tmp_path_factory.mktemp("shards")
    write_shard(folder / "train_0.npz", 12, seed=1)
    write_shard(folder / "train_1.npz", 3, seed=2, source="kept/away")
    prepared = tmp_path_factory.mktemp("cache")
    assert prepare_new(folder, prepared) == 15
    torch.manual_seed(0)
    assert precompute_warps(Flats(), prepared) == 15
    return prepared


@pytest.fixture
def store(cache: Path) -> Store:
    """The prepared sets, read afresh."""
    found = Store(cache, ("kept/",))
    found.refresh()
    return found


@pytest.fixture(scope="session")
def mini() -> ColorModel:
    """The shipped model."""
    return Mini.load(ModelFolder(SHIPPED / "mini"))


@pytest.fixture(scope="session")
def drawing() -> Drawing:
    """A drawing of 256 x 200 with two references of other colors; figure and ground in each."""
    rng = np.random.default_rng(5)
    line, _, mask = draw(rng, rng.integers(60, 256, (6, 3)))
    ink, mask = np.ascontiguousarray(255 - line[:, :200]), np.ascontiguousarray(mask[:, :200])
    references: list[Reference] = []
    for seed in (6, 7):
        other = np.random.default_rng(seed)
        _, color, figure = draw(other, other.integers(60, 256, (6, 3)))
        references.append(Reference(color, figure, ReferenceRole.BOTH))
    return Drawing(ink, mask, merge_and_split(segment(ink, 0.02), mask, 160), tuple(references))
