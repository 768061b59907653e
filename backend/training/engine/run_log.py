"""What a training run records: ``log.csv``, TensorBoard curves, contact sheets, and progress on the terminal."""

import csv
import sys
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any

import cv2
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from backend.imaging.types import Rgb
from shared.atomic_file import replace_atomically

CURVES, SHEETS = "curves", "sheets"
"""Folders inside the folder of a training run."""


class CsvLog:
    """A CSV file with one row for each log entry and a column ``step``.

    Rows after the step that a training run resumes from are dropped: those steps are taken again.
    """

    def __init__(self, path: Path, resumed_at: int) -> None:
        self._path, self._columns = path, list[str]()
        if path.exists():
            self._rewrite([row for row in self._read() if int(row["step"]) <= resumed_at])

    def add(self, row: dict[str, Any]) -> None:
        """Append a row.  A column that earlier rows lack is added to the whole file."""
        if set(row) - set(self._columns):
            self._rewrite([*(self._read() if self._path.exists() else []), row])
            return
        with self._path.open("a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, self._columns).writerow(row)

    def _read(self) -> list[dict[str, Any]]:
        with self._path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def _rewrite(self, rows: list[dict[str, Any]]) -> None:
        self._columns = list(dict.fromkeys(key for row in rows for key in row))
        with replace_atomically(self._path) as part, part.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, self._columns)
            writer.writeheader()
            writer.writerows(rows)


class RunLog:
    """Records a training run; a context manager.  A terminal gets a progress bar, a file gets plain lines."""

    def __init__(self, folder: Path, resumed_at: int, console: Console) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._csv = folder, CsvLog(folder / "log.csv", resumed_at)
        self._tensorboard = _create_tensorboard_writer(folder / CURVES, resumed_at)
        times = (TaskProgressColumn(), TimeElapsedColumn(), TimeRemainingColumn())
        columns = (BarColumn(), *times, TextColumn("{task.fields[status]}"))
        self._progress_bar = Progress(*columns, console=console) if console.is_terminal else None
        self._bar_task = self._progress_bar.add_task("", total=1.0, status="") if self._progress_bar else None

    def __enter__(self) -> "RunLog":
        if self._progress_bar:
            self._progress_bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._progress_bar:
            self._progress_bar.stop()
        if self._tensorboard:
            self._tensorboard.close()

    def advance(self, share: float) -> None:
        """Move the progress bar to the share of the budget that is used, 0..1."""
        if self._progress_bar and self._bar_task is not None:
            self._progress_bar.update(self._bar_task, completed=min(share, 1.0))

    def log(self, step: int, seconds: float, metrics: dict[str, float]) -> None:
        """Record the metrics of a step."""
        self._csv.add({"step": step, "seconds": round(seconds, 1), **metrics})
        if self._tensorboard:
            for name, value in metrics.items():
                if np.isfinite(value):
                    self._tensorboard.add_scalar(name, value, step)
        status = " ".join((f"step {step} seconds {seconds:.4g}", *(f"{name} {value:.4g}" for name, value in metrics.items())))
        if self._progress_bar and self._bar_task is not None:
            self._progress_bar.update(self._bar_task, status=status)
        else:
            print(status, flush=True)

    def save_sheet(self, step: int, sheet: Rgb) -> None:
        """Write a contact sheet (h, w, 3) of validation images to ``sheets/STEP.png``."""
        folder = self._folder / SHEETS
        folder.mkdir(exist_ok=True)
        if not cv2.imwrite(str(folder / f"{step:07d}.png"), np.ascontiguousarray(sheet[..., ::-1])):
            raise OSError(f"a contact sheet cannot be written to {folder}")


def _create_tensorboard_writer(folder: Path, resumed_at: int) -> Any:
    """TensorBoard's writer, or None when the package is not installed: ``log.csv`` has the same metrics."""
    if find_spec("tensorboard") is None:
        print("tensorboard is not installed: no curves, the metrics are in log.csv", file=sys.stderr)
        return None
    from torch.utils.tensorboard import SummaryWriter  # takes two seconds to import; worker processes do without

    return SummaryWriter(str(folder), purge_step=resumed_at + 1)
