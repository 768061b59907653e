"""Small drawings made of boxes and discs, with references."""

from pathlib import Path

import numpy as np
import pytest

from backend.evaluation.pairs import Pair
from tests.unit.families.mini.shapes import draw
from tests.unit.training.shards import write_shard


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
