"""Training sets on disk as .npz shards.

Several processes write them, each shard whole or not at all; a run that was stopped continues with the missing shards.
"""

import io
import multiprocessing
import os
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from backend.training.synthetic.mixture import (
    VALIDATION_SEED,
    VALIDATION_SETS,
    ArtFolders,
    draw_set,
    training_mixture,
    validation_sources,
)
from backend.training.synthetic.types import DrawingSet, Source
from shared.atomic_file import PART_SUFFIX, replace_atomically

SETS_PER_SHARD = 500
ARRAYS = ("line", "color", "mask", "ref", "refmask")
"""Names of the arrays in a shard; also fields of ``DrawingSet``."""


def write_shard(path: Path, sets: Sequence[DrawingSet]) -> None:
    """Write the ARRAYS, (N, S, S) or (N, S, S, 3) uint8, and the sources, (N,) text, with fast compression."""
    with (
        replace_atomically(path) as part,
        zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        for name in (*ARRAYS, "source"):
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.array([getattr(item, name) for item in sets]), allow_pickle=False)
            archive.writestr(f"{name}.npy", buffer.getvalue())


def read_shard(path: Path) -> list[DrawingSet]:
    """The sets of one shard."""
    with np.load(path, allow_pickle=False) as data:
        line, color, mask, ref, refmask, source = (data[name] for name in (*ARRAYS, "source"))
    return [DrawingSet(line[i], color[i], mask[i], ref[i], refmask[i], str(source[i])) for i in range(len(source))]


def shard_path(out: Path, seed: int, number: int) -> Path:
    """OUT/train_SEED_NUMBER.npz."""
    return out / f"train_{seed:04d}_{number:04d}.npz"


def missing_shards(out: Path, seed: int, sets: int, per_shard: int) -> list[int]:
    """Numbers of the shards that are not written yet."""
    return [k for k in range(-(-sets // per_shard)) if not shard_path(out, seed, k).exists()]


def render_shards(
    numbers: Sequence[int], out: Path, source: Source, size: int, seed: int, sets: int, per_shard: int
) -> Iterator[Path]:
    """Draw and write the shards of these numbers; yields each path when its shard is complete."""
    for number in numbers:
        indices = range(number * per_shard, min(sets, (number + 1) * per_shard))
        path = shard_path(out, seed, number)
        write_shard(path, [draw_set(source, seed, i, size) for i in indices])
        yield path


def _render_in_process(
    numbers: Sequence[int], out: Path, folders: ArtFolders, size: int, seed: int, sets: int, per_shard: int
) -> None:
    cv2.setNumThreads(1)
    for path in render_shards(numbers, out, training_mixture(folders, size), size, seed, sets, per_shard):
        print(path.name, flush=True)


def render_training(
    out: Path, folders: ArtFolders, sets: int, size: int = 256, seed: int = 0, workers: int = 1, per_shard: int = SETS_PER_SHARD
) -> list[Path]:
    """Write the missing shards of a training set in `workers` processes; returns the paths of all its shards.

    Raises RuntimeError when a process failed; the shards written so far stay.
    """
    out.mkdir(parents=True, exist_ok=True)
    for stale in out.glob(f"train_*{PART_SUFFIX}"):
        stale.unlink()
    missing = missing_shards(out, seed, sets, per_shard)
    # One thread of Mesa's software renderer a process: the processes already fill the cores.
    os.environ.setdefault("LP_NUM_THREADS", "1")
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=_render_in_process, args=(missing[w::workers], out, folders, size, seed, sets, per_shard))
        for w in range(workers)
        if missing[w::workers]
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    if any(process.exitcode for process in processes):
        raise RuntimeError("a rendering process failed; run again to continue where it stopped")
    return [shard_path(out, seed, k) for k in range(-(-sets // per_shard))]


def render_validation(out: Path, folders: ArtFolders, size: int = 256) -> list[Path]:
    """Write val_NAME.npz for every validation source that the folders allow; returns the paths."""
    out.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    for number, (name, source) in enumerate(sorted(validation_sources(folders, size).items())):
        path = out / f"val_{name}.npz"
        if not path.exists():
            write_shard(path, [draw_set(source, VALIDATION_SEED + number, i, size) for i in range(VALIDATION_SETS[name])])
        paths.append(path)
    return paths
