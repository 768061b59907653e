"""Small drawings made of boxes and discs, prepared once."""

from pathlib import Path

import numpy as np
import pytest
import torch

from backend.evaluation.pairs import Pair
from backend.networks.mini.flats import Flats
from backend.training.mini.precompute_warp import precompute_warps
from backend.training.mini.preprocess import prepare_new
from backend.training.mini.shard_dataset import Store
from tests.unit.families.mini.shapes import draw


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
