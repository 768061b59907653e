"""The folder that Linewash is installed from, and the places that an installation goes to."""

from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent

LOCK_NAME = ".linewash-install.lock"
RELEASE_MARK = "RELEASE"
"""A file of this name beside install.py says that the folder is a release, not a checkout."""


@dataclass(frozen=True)
class Target:
    """Where an installation goes."""

    project: Path
    """The folder with ``backend/``, ``pyproject.toml`` and ``constraints.txt``."""
    venv: Path
    """The virtual environment."""
    downloads: Path
    """Packages while they are downloaded; removed when all is done."""
    lock: Path
    is_editable: bool
    """Whether the project itself is installed into the environment too, as a link to its folder."""


def checkout_target(project: Path = PROJECT) -> Target:
    """A checkout is its own program folder."""
    return Target(project, project / ".venv", project / "build" / "downloads", project / LOCK_NAME, True)


def is_release(project: Path = PROJECT) -> bool:
    """Whether ``project`` is an unpacked release."""
    return (project / RELEASE_MARK).is_file()
