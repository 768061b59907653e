"""Shares the rows of a large image among threads."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from numba import get_num_threads


def parallel_rows(height: int, rows: int, work: Callable[[int, int], None]) -> None:
    """Calls ``work(top, bottom)`` for bands of ``rows`` rows that cover 0..height, on as many threads as numba may use.

    ``work`` must release the GIL to gain anything and write to its own rows only.  Plain threads instead of numba's
    ``prange``: such code compiles in a fraction of the time and cannot clash with the thread pool of another library.
    """
    bands = [(top, min(top + rows, height)) for top in range(0, height, rows)]
    with ThreadPoolExecutor(max_workers=max(1, min(get_num_threads(), len(bands)))) as pool:
        for future in [pool.submit(work, top, bottom) for top, bottom in bands]:
            # Raises here whatever a band has raised.
            future.result()
