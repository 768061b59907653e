"""What a training run is of, in its folder: what resumes it must be the same, and what publishes it need not be told."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from shared.atomic_file import write_atomically

NAME = "run.json"
_BLOCK_BYTES = 1 << 24


class OtherRunError(ValueError):
    """A folder that holds a training run of something else."""


def read_run_record(folder: Path) -> dict[str, str] | None:
    """What ``record_run`` wrote; None in the folder of an older training run."""
    path = folder / NAME
    return cast(dict[str, str], json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


def check_run(folder: Path, values: Mapping[str, str]) -> None:
    """Raise OtherRunError when the training run in ``folder`` is of something else.

    Only names that its record has are compared: older training runs recorded less.
    """
    before = read_run_record(folder) or {}
    changed = [f"{name} {before[name]}, not {value}" for name, value in values.items() if before.get(name, value) != value]
    if changed:
        raise OtherRunError(f"the training run in {folder} has {', '.join(changed)}")


def record_run(folder: Path, values: Mapping[str, str]) -> None:
    """Write what the new training run in ``folder`` is of; an older one keeps its record."""
    if read_run_record(folder) is None:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / NAME, (json.dumps(dict(values), indent=1) + "\n").encode())


def compute_digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
