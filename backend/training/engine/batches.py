"""Batches by number: batch ``i`` is a function of (seed, i) and the data alone, whoever makes it and whenever.

So any number of processes can make them ahead, and a run that was ended goes on with exactly the batches it would have had.
"""

from collections.abc import Iterator
from itertools import count
from typing import Any, Protocol

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

LOOK_EVERY = 200
"""Batches between two looks for new drawings."""


class Source(Protocol):
    """The part of a task that makes batches.  With worker processes it must survive pickling."""

    store: Any

    def batch(self, rng: np.random.Generator) -> Any:
        """A batch, all its randomness from ``rng``."""
        ...


class IndexedBatches(Dataset[Any]):
    """A task's batches by number."""

    def __init__(self, source: Source, seed: int) -> None:
        self._source, self._seed, self._look = source, seed, 0

    def __getitem__(self, number: int) -> Any:
        if number >= self._look:
            self._source.store.refresh()
            self._look = number + LOOK_EVERY
        return self._source.batch(np.random.default_rng((self._seed, number)))


class _StrideSampler(Sampler[int]):
    """first, first + every, ... without end."""

    def __init__(self, first: int, every: int) -> None:
        self._first, self._every = first, every

    def __iter__(self) -> Iterator[int]:
        return count(self._first, self._every)


def batches(source: Source, seed: int, first: int, workers: int, pinned: bool, every: int = 1) -> Iterator[Any]:
    """Batches ``first``, ``first + every``, ... without end; the processes end with the iterator.

    workers: processes that make them ahead, 0 = made in this one when asked for.  pinned: in memory a GPU can copy from.
    """
    numbered = IndexedBatches(source, seed)
    if workers == 0:
        return (numbered[number] for number in count(first, every))
    return iter(
        DataLoader(
            numbered,
            batch_size=None,
            sampler=_StrideSampler(first, every),
            num_workers=workers,
            collate_fn=_as_it_is,
            pin_memory=pinned,
            worker_init_fn=_one_thread,
            multiprocessing_context="spawn",  # a fork would copy locks that torch's and numba's threads hold
            generator=torch.Generator(),  # the loader draws a seed; not from the generator a checkpoint keeps
        )
    )


def _as_it_is(batch: Any) -> Any:
    return batch


def _one_thread(_: int) -> None:
    cv2.setNumThreads(1)  # DataLoader does the same for torch
