"""``install.py demo``: colors the bundled drawing through a real server and writes the layers."""

import shutil
import tempfile
import zipfile
from pathlib import Path

from .checkout import PROJECT
from .messages import info
from .progress import ProgressReport
from .smoke_test import colorize
from .steps import Wish, prepare_backend

DRAWING = PROJECT / "backend" / "data" / "demo"
OUTPUT_FILES = (
    ("lines.png", "the drawing"),
    ("reference.png", "the colors it was given"),
    ("foreground.png", "the foreground's color layer"),
    ("background.png", "the background's color layer"),
    ("composite.png", "both color layers together"),
    ("colored.png", "the lines over them: the finished image"),
    ("colored.ora", "all layers in one file; Krita opens it"),
)


def run_demo(out: Path, wish: Wish, report: ProgressReport) -> int:
    """Install the backend if needed, color the bundled drawing into the folder ``out`` and list the files; returns 0."""
    python, _ = prepare_backend(wish, report)
    info("Coloring the bundled drawing ...")
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="linewash-demo-") as home:
        colorize(python, PROJECT, DRAWING / "lines.png", DRAWING / "reference.png", out, Path(home))
    shutil.copyfile(DRAWING / "reference.png", out / "reference.png")
    (out / "lines.ora").replace(out / "colored.ora")
    with zipfile.ZipFile(out / "colored.ora") as layered:
        (out / "colored.png").write_bytes(layered.read("mergedimage.png"))
    info(f"\nWritten to {out}:")
    for name, meaning in OUTPUT_FILES:
        info(f"  {name:15} {meaning}")
    return 0
