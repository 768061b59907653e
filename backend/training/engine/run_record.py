"""What a training run is of, in its folder: what resumes it must be the same, and what publishes it need not be told."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from shared.atomic_file import write_atomically

NAME = "run.json"


class OtherRunError(ValueError):
    """A folder that holds a training run of something else."""


def read_run_record(folder: Path) -> dict[str, str] | None:
    """What ``record_run`` wrote; None in the folder of an older training run."""
    path = folder / NAME
    return cast(dict[str, str], json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


def record_run(folder: Path, values: Mapping[str, str]) -> None:
    """Write what the training run in ``folder`` is of.  Raises OtherRunError when another one lies there."""
    before = read_run_record(folder)
    if before is None:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / NAME, (json.dumps(dict(values), indent=1) + "\n").encode())
    elif before != values:
        changed = [f"{name} {before.get(name)}, not {value}" for name, value in values.items() if before.get(name) != value]
        raise OtherRunError(f"the training run in {folder} has {', '.join(changed)}")
