"""Prepared arrays on disk, read through memory maps; shards that appear while training runs are picked up."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np


class Store:
    """The sets of every finished training shard (``train_*``) in ``cache`` whose source is not held out.

    held_out: a set is left out of training when one of these strings occurs in its source name.
    """

    def __init__(self, cache: Path, held_out: Sequence[str]) -> None:
        self.cache, self.held_out = cache, tuple(held_out)
        self._shards: dict[str, dict[str, np.ndarray]] = {}
        self._sets: list[tuple[str, int]] = []
        self._group: list[str] = []

    def refresh(self) -> int:
        """Look for new shards; the number of sets now known.  Order is by shard name, so a fixed cache gives a fixed order."""
        found = sorted(p.parent.name for p in self.cache.glob("train_*/done"))
        if set(found) != set(self._shards):
            for name in found:
                if name not in self._shards:
                    files = (self.cache / name).glob("*.npy")
                    self._shards[name] = {f.stem: np.load(f, mmap_mode="r", allow_pickle=False) for f in files}
            rows = [(n, i, str(s)) for n in found for i, s in enumerate(self._shards[n]["source"])]
            rows = [r for r in rows if not any(h in r[2] for h in self.held_out)]
            self._sets = [(n, i) for n, i, _ in rows]
        return len(self._sets)

    def draw(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """One random set's arrays (views, read only)."""
        shard, row = self._sets[int(rng.integers(len(self._sets)))]
        return {key: values[row] for key, values in self._shards[shard].items() if key != "source"}

    def __len__(self) -> int:
        return len(self._sets)

    def __reduce__(self) -> tuple[type["Store"], tuple[Path, tuple[str, ...]]]:
        """A copy in another process looks for itself: pickled memory maps would be whole arrays."""
        return Store, (self.cache, self.held_out)
