"""Shards of small drawings."""

from pathlib import Path

import numpy as np

from tests.unit.families.mini.shapes import draw


def write_shard(path: Path, count: int, seed: int, source: str = "synthetic") -> None:
    """A shard of so many examples, as ``backend.training.mini.preprocess`` reads it."""
    rng = np.random.default_rng(seed)
    columns: dict[str, list[np.ndarray]] = {k: [] for k in ("line", "color", "mask", "ref", "refmask")}
    for _ in range(count):
        colors = rng.integers(60, 256, (6, 3))
        (line, color, mask), (_, ref, refmask) = draw(rng, colors), draw(rng, colors)
        for key, value in zip(columns, (line, color, mask, ref, refmask), strict=True):
            columns[key].append(value)
    np.savez(path, **{k: np.stack(v) for k, v in columns.items()}, source=np.array([source] * count))
