"""Batches by number: batch ``i`` is a function of the seed, ``i`` and the data, whichever process makes it and whenever.

So any number of processes can make batches ahead, and a resumed training run gets exactly the batches it would have had.
"""

from collections.abc import Iterator
from itertools import count
from typing import Any, Protocol

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

REFRESH_EVERY = 200
"""The data set is asked for new examples once in so many batches."""


class GrowingDataset(Protocol):
    """A data set to which examples may be added while it is learned from."""

    def refresh(self) -> int:
        """Pick up new examples; the number of examples there are now."""
        ...


class BatchSource(Protocol):
    """The part of a task that makes batches.  With worker processes it must survive pickling."""

    @property
    def dataset(self) -> GrowingDataset:
        """Where the examples come from."""
        ...

    def batch(self, rng: np.random.Generator) -> Any:
        """A batch; all its randomness comes from ``rng``."""
        ...


class IndexedBatches(Dataset[Any]):
    """The batches of a task by number."""

    def __init__(self, source: BatchSource, seed: int) -> None:
        self._source, self._seed, self._next_refresh = source, seed, 0

    def __getitem__(self, number: int) -> Any:
        # Each worker process has a copy of the data set, and refreshes it by itself.
        if number >= self._next_refresh:
            self._source.dataset.refresh()
            self._next_refresh = number + REFRESH_EVERY
        return self._source.batch(np.random.default_rng((self._seed, number)))


class _StrideSampler(Sampler[int]):
    """The numbers start, start + stride, start + 2 stride, ... without end."""

    def __init__(self, start: int, stride: int) -> None:
        self._start, self._stride = start, stride

    def __iter__(self) -> Iterator[int]:
        return count(self._start, self._stride)


def iterate_batches(
    source: BatchSource, seed: int, start: int, workers: int, pin_memory: bool, stride: int = 1
) -> Iterator[Any]:
    """Batches ``start``, ``start + stride``, ... without end; worker processes end with the iterator.

    workers: processes that make batches ahead; 0: this process makes each when it is asked for.
    pin_memory: whether batches lie in pinned memory, from which copies to a GPU are fast.
    """
    batches = IndexedBatches(source, seed)
    if workers == 0:
        return (batches[number] for number in count(start, stride))
    return iter(
        DataLoader(
            batches,
            batch_size=None,
            sampler=_StrideSampler(start, stride),
            num_workers=workers,
            collate_fn=_identity,
            pin_memory=pin_memory,
            worker_init_fn=_limit_threads,
            multiprocessing_context="spawn",  # a fork would copy locks that torch's and numba's threads hold
            generator=torch.Generator(),  # the loader draws a seed; keep it off the generator that checkpoints save
        )
    )


def _identity(batch: Any) -> Any:
    return batch


def _limit_threads(_: int) -> None:
    """One OpenCV thread a worker process; DataLoader itself limits torch's."""
    cv2.setNumThreads(1)
