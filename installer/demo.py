"""``install.py demo``: the bundled drawing goes through a real server and comes back as layers."""

import shutil
import tempfile
from pathlib import Path

from .check import colour
from .run import output
from .steps import prepare_backend
from .text import InstallError, say
from .vendor import PROJECT

DRAWING = PROJECT / "backend" / "data" / "demo"


def run_demo(out: Path) -> int:
    """Set up what is missing, colour the bundled drawing into the folder ``out`` and say what lies there; 0 when done."""
    python, _ = prepare_backend()
    lines, reference = DRAWING / "lines.png", DRAWING / "reference.png"
    out.mkdir(parents=True, exist_ok=True)
    say("Colouring the bundled drawing ...")
    with tempfile.TemporaryDirectory(prefix="linewash-demo-") as home:
        colour(python, PROJECT, lines, reference, out, Path(home))
    shutil.copyfile(lines, out / "lines.png")
    shutil.copyfile(reference, out / "reference.png")
    status, text = output([python, "-m", "installer.openraster", out], cwd=PROJECT)
    if status != 0:
        raise InstallError(f"The layered file could not be written. It said:\n{text.strip()}")
    say(f"\nWritten to {out}:")
    for name, meaning in (
        ("lines.png", "the drawing"),
        ("reference.png", "the colours it was given"),
        ("foreground.png", "the figure's colour layer"),
        ("background.png", "the background's colour layer"),
        ("composite.png", "both colour layers together"),
        ("coloured.png", "the lines over them"),
        ("linewash-demo.ora", "all layers in one file; Krita opens it"),
    ):
        say(f"  {name:18} {meaning}")
    return 0
