"""What every test of this folder needs."""

from collections.abc import Iterator

import numba
import pytest
import torch


@pytest.fixture(scope="session", autouse=True)
def _threads() -> None:
    """numba sets OpenMP's number of threads, and so torch's, when it starts its own: not between two images to compare."""
    numba.set_num_threads(numba.get_num_threads())


@pytest.fixture(autouse=True)
def _no_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield
