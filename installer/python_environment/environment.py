"""Creates the virtual environment ``.venv`` of a checkout, installs the pinned packages and writes a stamp at the end.

The stamp holds a fingerprint of everything that the packages depend on.  When the stamp is missing or has another fingerprint,
the packages are installed again into whatever an interrupted run left.  So a second run changes nothing, and an interrupted
one continues.
"""

import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.atomic_file import write_atomically

from ..messages import InstallError, info
from ..subprocesses import capture_output, run

STAMP = "linewash-install.json"
HASHED_REQUIREMENTS = {"dev": "backend/evaluation/metrics/lpips.txt"}
"""Extra -> a file of packages with hashes, installed without their dependencies (these would bring another framework)."""


@dataclass(frozen=True)
class Tools:
    """The outside effects of preparing an environment; tests pass quick substitutes."""

    create: Callable[[Path], None]
    """``create(folder)`` makes an empty virtual environment; raises InstallError."""
    works: Callable[[Path], bool]
    """``works(python)``: whether that Python runs, has pip and has the version of the running Python."""
    install: Callable[[Path, Sequence[str]], None]
    """``install(python, arguments)`` runs ``pip install`` with these arguments in the checkout; raises InstallError."""


def system_tools(project: Path) -> Tools:
    """The real tools: the running Python's venv and the environment's pip."""

    def create(folder: Path) -> None:
        status, text = capture_output([sys.executable, "-m", "venv", folder])
        if status != 0:
            raise InstallError(f"The virtual environment could not be made in {folder}: {text.strip()}")

    def works(python: Path) -> bool:
        code = f"import pip, sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]!r})"
        return capture_output([python, "-c", code])[0] == 0

    def install(python: Path, arguments: Sequence[str]) -> None:
        quiet = () if sys.stdout.isatty() else ("--quiet", "--progress-bar", "off")
        options = ("--disable-pip-version-check", "--no-input", *quiet)
        if run([python, "-m", "pip", "install", *options, *arguments], cwd=project) != 0:
            raise InstallError(
                "The packages could not be installed; pip's own message is above. Check that this computer is online "
                "and start the installer again; it continues where it stopped."
            )

    return Tools(create, works, install)


def venv_python(venv: Path, platform: str) -> Path:
    """The Python of a virtual environment."""
    return venv / "Scripts" / "python.exe" if platform == "win32" else venv / "bin" / "python"


def fingerprint(project: Path, extras: Iterable[str], version: Sequence[int] = sys.version_info[:2]) -> str:
    """SHA-256 over everything the environment depends on: pins, dependencies, extras, Python version and project folder."""
    digest = hashlib.sha256()
    for name in ("pyproject.toml", "constraints.txt", *_hashed_requirements(extras)):
        digest.update((project / name).read_bytes() + b"\0")
    digest.update(repr((sorted(extras), tuple(version[:2]), str(project))).encode())
    return digest.hexdigest()


def _hashed_requirements(extras: Iterable[str]) -> list[str]:
    return [HASHED_REQUIREMENTS[extra] for extra in sorted(extras) if extra in HASHED_REQUIREMENTS]


def read_stamp(project: Path) -> tuple[str, frozenset[str]]:
    """(fingerprint, extras) of the environment when it was last completed; ("", no extras) when it never was."""
    try:
        stamp = json.loads((project / ".venv" / STAMP).read_text(encoding="utf-8"))
        return str(stamp["fingerprint"]), frozenset(stamp["extras"])
    except (OSError, ValueError, KeyError, TypeError):
        return "", frozenset()


def is_current(project: Path, extras: Iterable[str]) -> bool:
    """Whether the environment is complete, up to date and includes ``extras``."""
    stamp, installed = read_stamp(project)
    return set(extras) <= installed and stamp == fingerprint(project, installed)


def prepare_environment(project: Path, extras: Iterable[str], tools: Tools, platform: str = sys.platform) -> bool:
    """Install the project (editable) with ``extras`` into ``.venv``; whether anything had to be done.

    Extras installed earlier stay.  Raises InstallError.
    """
    if is_current(project, extras):
        return False
    all_extras = sorted(set(extras) | read_stamp(project)[1])
    venv = project / ".venv"
    python = venv_python(venv, platform)
    (venv / STAMP).unlink(missing_ok=True)
    if venv.exists() and not tools.works(python):
        info("The virtual environment is incomplete or of another Python; making it anew.")
        shutil.rmtree(venv)
    if not venv.exists():
        info(f"Making the virtual environment {venv} ...")
        tools.create(venv)
    info(f"Installing the backend ({', '.join(all_extras)}); the first time this takes some minutes ...")
    tools.install(python, ("--constraint", "constraints.txt", "--editable", f".[{','.join(all_extras)}]"))
    for name in _hashed_requirements(all_extras):
        tools.install(python, ("--no-deps", "--require-hashes", "--requirement", name))
    stamp = {"fingerprint": fingerprint(project, all_extras), "extras": all_extras}
    write_atomically(venv / STAMP, (json.dumps(stamp, indent=2) + "\n").encode())
    return True
