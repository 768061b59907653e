"""What a run leaves to look at: ``log.csv``, TensorBoard curves, contact sheets, and a bar or lines on the way."""

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

CURVES, SHEETS = "curves", "sheets"
"""Folders in a run's own."""


class CsvLog:
    """A CSV file of one row a log entry, ``step`` among its columns.  Rows after the step a run resumes from are dropped."""

    def __init__(self, path: Path, resumed_at: int) -> None:
        self._path, self._columns = path, list[str]()
        if path.exists():
            self._rewrite([row for row in self._read() if int(row["step"]) <= resumed_at])

    def add(self, row: dict[str, Any]) -> None:
        """One more row; it may have columns that earlier ones lack."""
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
        fresh = self._path.with_suffix(".new")
        with fresh.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, self._columns)
            writer.writeheader()
            writer.writerows(rows)
        fresh.replace(self._path)


class RunLog:
    """Use it in a ``with`` block.  A terminal gets a progress bar, a file gets plain lines."""

    def __init__(self, folder: Path, resumed_at: int, console: Console) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._table = folder, CsvLog(folder / "log.csv", resumed_at)
        self._curves = _curves(folder / CURVES, resumed_at)
        times = (TaskProgressColumn(), TimeElapsedColumn(), TimeRemainingColumn())
        columns = (BarColumn(), *times, TextColumn("{task.fields[says]}"))
        self._bar = Progress(*columns, console=console) if console.is_terminal else None
        self._line = self._bar.add_task("", total=1.0, says="") if self._bar else None

    def __enter__(self) -> "RunLog":
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar:
            self._bar.stop()
        if self._curves:
            self._curves.close()

    def advance(self, share: float) -> None:
        """The share of the run that is done, 0..1."""
        if self._bar and self._line is not None:
            self._bar.update(self._line, completed=min(share, 1.0))

    def log(self, step: int, seconds: float, figures: dict[str, float]) -> None:
        """Figures at a step."""
        self._table.add({"step": step, "seconds": round(seconds, 1), **figures})
        if self._curves:
            for name, value in figures.items():
                if np.isfinite(value):
                    self._curves.add_scalar(name, value, step)
        says = " ".join((f"step {step} seconds {seconds:.4g}", *(f"{name} {value:.4g}" for name, value in figures.items())))
        if self._bar and self._line is not None:
            self._bar.update(self._line, says=says)
        else:
            print(says, flush=True)

    def sheet(self, step: int, picture: Rgb) -> None:
        """A contact sheet (h, w, 3) of validation pictures at a step: ``sheets/STEP.png``."""
        folder = self._folder / SHEETS
        folder.mkdir(exist_ok=True)
        if not cv2.imwrite(str(folder / f"{step:07d}.png"), np.ascontiguousarray(picture[..., ::-1])):
            raise OSError(f"a contact sheet cannot be written to {folder}")


def _curves(folder: Path, resumed_at: int) -> Any:
    """TensorBoard's writer; None when the package is not installed, as on a lent machine: ``log.csv`` has the same figures."""
    if find_spec("tensorboard") is None:
        print("tensorboard is not installed: no curves, the figures are in log.csv", file=sys.stderr)
        return None
    from torch.utils.tensorboard import SummaryWriter  # two seconds; not where batches are made

    return SummaryWriter(str(folder), purge_step=resumed_at + 1)
