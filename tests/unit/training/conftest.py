"""Shards of small drawings, and a cache of them for the tasks of mini."""

from pathlib import Path

import pytest
import torch

from backend.networks.mini.flats import Flats
from backend.training.mini.precompute_warp import precompute_warps
from backend.training.mini.preprocess import preprocess_shard
from backend.training.mini.shard_dataset import ShardDataset
from tests.unit.training.shards import write_shard


@pytest.fixture(scope="session")
def shard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shard of one example."""
    path = tmp_path_factory.mktemp("shard") / "val.npz"
    write_shard(path, 1, seed=4)
    return path


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of preprocessed shards: 12 examples to train on, 3 of another source."""
    folder, cache = tmp_path_factory.mktemp("shards"), tmp_path_factory.mktemp("cache")
    write_shard(folder / "train_0.npz", 12, seed=1)
    write_shard(folder / "train_1.npz", 3, seed=2, source="held_out/away")
    assert sum(preprocess_shard(path, cache / path.stem) for path in sorted(folder.glob("*.npz"))) == 15
    torch.manual_seed(0)
    assert precompute_warps(Flats(), cache) == 15
    return cache


@pytest.fixture
def dataset(cache: Path) -> ShardDataset:
    """The examples to train on, read anew."""
    dataset = ShardDataset(cache, ("held_out/",))
    dataset.refresh()
    return dataset
