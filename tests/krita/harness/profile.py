"""A Krita profile: its own home, settings and data, so that a test never meets the painter's."""

import shutil
from dataclasses import dataclass
from pathlib import Path

DRIVER = Path(__file__).parent.parent / "driver"
DRIVER_NAME = "linewash_driver"
CANVAS_ON_CPU = "[General]\nOpenGLRenderer=none\ncanvasState=OPENGL_SUCCESS\n"
KRITARC = f"[python]\nenable_{DRIVER_NAME}=true\n"


@dataclass(frozen=True)
class Profile:
    """The folders of one profile.  Only one Krita at a time may run in it: a second one hands over to the first."""

    root: Path

    @property
    def resources(self) -> Path:
        """Krita's resource folder; plugins lie in ``pykrita`` below it."""
        return self.root / "data" / "krita"

    @property
    def kritarc(self) -> Path:
        """Krita's settings file."""
        return self.root / "config" / "kritarc"

    def environment(self) -> dict[str, str]:
        """The variables that make Krita live in this profile."""
        names = {"HOME": "home", "XDG_CONFIG_HOME": "config", "XDG_DATA_HOME": "data", "XDG_CACHE_HOME": "cache"}
        names |= {"XDG_RUNTIME_DIR": "run", "TMPDIR": "tmp"}
        return {name: str(self.root / folder) for name, folder in names.items()}


def create(root: Path) -> Profile:
    """A fresh profile in ``root`` with the test driver in it; Krita fills it at its first, slow start."""
    profile = Profile(root)
    for folder in ("home", "config", "cache", "run", "tmp", "data/krita/pykrita"):
        (root / folder).mkdir(parents=True)
    (root / "run").chmod(0o700)
    plugins = profile.resources / "pykrita"
    shutil.copytree(DRIVER / DRIVER_NAME, plugins / DRIVER_NAME, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(DRIVER / f"{DRIVER_NAME}.desktop", plugins)
    profile.kritarc.write_text(KRITARC)
    (root / "config" / "kritadisplayrc").write_text(CANVAS_ON_CPU)
    return profile


def copy(template: Profile, root: Path) -> Profile:
    """A copy of a profile in which Krita has run: it starts in 3 s instead of 9."""
    shutil.copytree(template.root, root, symlinks=True, ignore=shutil.ignore_patterns("run", "tmp"))
    for folder in ("run", "tmp"):
        (root / folder).mkdir()
    (root / "run").chmod(0o700)
    return Profile(root)
