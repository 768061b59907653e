"""``install.py demo``: the bundled drawing goes through a real server and comes back as layers."""

import shutil
import tempfile
import zipfile
from pathlib import Path

from .check import colour
from .steps import prepare_backend
from .text import say
from .vendor import PROJECT

DRAWING = PROJECT / "backend" / "data" / "demo"
WRITTEN = (
    ("lines.png", "the drawing"),
    ("reference.png", "the colours it was given"),
    ("foreground.png", "the figure's colour layer"),
    ("background.png", "the background's colour layer"),
    ("composite.png", "both colour layers together"),
    ("coloured.png", "the lines over them: the picture"),
    ("coloured.ora", "all layers in one file; Krita opens it"),
)


def run_demo(out: Path) -> int:
    """Set up what is missing, colour the bundled drawing into the folder ``out`` and say what lies there; 0 when done."""
    python, _ = prepare_backend()
    say("Colouring the bundled drawing ...")
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="linewash-demo-") as home:
        colour(python, PROJECT, DRAWING / "lines.png", DRAWING / "reference.png", out, Path(home))
    shutil.copyfile(DRAWING / "reference.png", out / "reference.png")
    (out / "lines.ora").replace(out / "coloured.ora")
    with zipfile.ZipFile(out / "coloured.ora") as layered:
        (out / "coloured.png").write_bytes(layered.read("mergedimage.png"))
    say(f"\nWritten to {out}:")
    for name, meaning in WRITTEN:
        say(f"  {name:15} {meaning}")
    return 0
