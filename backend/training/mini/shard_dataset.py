"""The preprocessed examples on disk, read through memory maps; shards that appear during training are picked up."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

ExampleArrays = dict[str, np.ndarray]
"""The arrays of one example by name, as ``preprocess.preprocess_example`` makes them."""


class ShardDataset:
    """The examples of every complete training shard (``train_*``) in a cache folder, but for those held out."""

    def __init__(self, cache: Path, held_out: Sequence[str]) -> None:
        """held_out: an example is left out when one of these strings occurs in the name of its source."""
        self.cache, self.held_out = cache, tuple(held_out)
        self._shards: dict[str, ExampleArrays] = {}
        self._examples: list[tuple[str, int]] = []

    def refresh(self) -> int:
        """Pick up new shards; the number of examples there are now.

        Examples are ordered by the names of their shards, so the same cache always gives the same order.
        """
        names = sorted(p.parent.name for p in self.cache.glob("train_*/done"))
        if set(names) != set(self._shards):
            for name in names:
                if name not in self._shards:
                    self._shards[name] = load_shard(self.cache / name)
            self._examples = [
                (name, row)
                for name in names
                for row, source in enumerate(self._shards[name]["source"])
                if not any(part in str(source) for part in self.held_out)
            ]
        return len(self._examples)

    def sample(self, rng: np.random.Generator) -> ExampleArrays:
        """The arrays of a random example (views, read only)."""
        shard, row = self._examples[int(rng.integers(len(self._examples)))]
        return example_at(self._shards[shard], row)

    def __len__(self) -> int:
        return len(self._examples)

    def __reduce__(self) -> tuple[type["ShardDataset"], tuple[Path, tuple[str, ...]]]:
        """A copy in another process reads the folder itself: pickled memory maps would be whole arrays."""
        return ShardDataset, (self.cache, self.held_out)


def load_shard(folder: Path) -> dict[str, np.ndarray]:
    """The arrays of a preprocessed shard by name, memory-mapped, one row for each example."""
    return {path.stem: np.load(path, mmap_mode="r", allow_pickle=False) for path in folder.glob("*.npy")}


def example_at(shard: dict[str, np.ndarray], row: int) -> ExampleArrays:
    """The arrays of one example of a shard, without the name of its source."""
    return {name: values[row] for name, values in shard.items() if name != "source"}
