"""``install.py test``: everything the project checks about itself, in one go."""

import shutil
import sys

from .run import run
from .steps import prepare_backend
from .text import say
from .vendor import PROJECT

EXTRAS = ("backend", "train", "dev")
KRITA_PROGRAMS = ("krita", "Xvfb", "xdotool", "import")
"""What the real-Krita tests drive; ``import`` is ImageMagick's screenshot program."""

KRITA_PACKAGES = "krita xvfb xdotool imagemagick"


def missing_krita_programs() -> list[str]:
    """Those of ``KRITA_PROGRAMS`` that are not on the PATH."""
    return [program for program in KRITA_PROGRAMS if shutil.which(program) is None]


def missing_sentence(missing: list[str]) -> str:
    """What to do about programs the real-Krita tests lack."""
    return f"{', '.join(missing)} not installed; on Debian or Ubuntu run: sudo apt install {KRITA_PACKAGES}"


def run_tests(require_krita: bool) -> int:
    """Run ruff, pyright and pytest; 0 when all pass (and, with require_krita, none of the real-Krita tests was skipped)."""
    python, _ = prepare_backend(EXTRAS)
    folder = python.parent
    missing = missing_krita_programs()
    if missing:
        say(f"The tests in the real Krita are skipped: {missing_sentence(missing)}")
    artifacts = PROJECT / "artifacts"
    artifacts.mkdir(exist_ok=True)
    pytest = [python, "-m", "pytest", f"--junit-xml={artifacts / 'junit.xml'}"]
    steps = {
        "ruff": [folder / "ruff", "check", "."],
        "pyright": [folder / "pyright", "--pythonpath", python],
        "pytest": [*pytest, "--require-krita"] if require_krita else pytest,
    }
    failed: list[str] = []
    for name, command in steps.items():
        say(f"\n== {name}")
        if run(command, cwd=PROJECT, extra={"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}) != 0:
            failed.append(name)
    sys.stdout.flush()
    if failed:
        say(f"\nFailed: {', '.join(failed)}.")
    return 1 if failed else 0
