"""The libraries that the plugin brings along: ``requests`` and what it needs, as pure-Python wheels with pinned hashes.

Krita's own Python may be any from 3.8 on and has no pip, so the wheels are fetched by the installer's Python, for 3.8, and
unpacked.  They are kept in ``build/vendor/<digest of vendor.txt>``; a folder of that name is always whole.
"""

import hashlib
import os
import shutil
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from ..checkout import PROJECT
from ..messages import InstallError
from ..subprocesses import run

REQUIREMENTS = PROJECT / "krita_plugin" / "vendor.txt"

FetchWheels = Callable[[Path, Path], None]
"""``fetch(requirements, folder)`` puts the wheels that ``requirements`` names into ``folder``."""


def pip_arguments(requirements: Path, folder: Path) -> Sequence[str]:
    """Arguments after ``python -m pip`` that fetch pure-Python wheels for Python 3.8 into ``folder``, hashes checked."""
    return (
        "download", "--quiet", "--disable-pip-version-check", "--no-input", "--require-hashes", "--no-deps",
        "--only-binary=:all:", "--platform", "any", "--implementation", "py", "--abi", "none", "--python-version", "3.8",
        "--dest", str(folder), "--requirement", str(requirements),
    )  # fmt: skip


def pip_fetcher(python: Path) -> FetchWheels:
    """A ``Fetch`` that uses the pip of ``python``; raises InstallError when that fails."""

    def fetch(requirements: Path, folder: Path) -> None:
        if run([python, "-m", "pip", *pip_arguments(requirements, folder)]) != 0:
            raise InstallError(
                "The plugin's libraries could not be fetched. Check that this computer is online and start the installer again."
            )

    return fetch


def prepare_libraries(fetch: FetchWheels | None = None, requirements: Path = REQUIREMENTS, cache: Path | None = None) -> Path:
    """The folder with the unpacked libraries, fetched first if it is not there yet.

    fetch: how to get the wheels (default: pip of the running Python).  cache: where unpacked sets are kept.
    """
    cache = cache or PROJECT / "build" / "vendor"
    target = cache / hashlib.sha256(requirements.read_bytes()).hexdigest()[:16]
    if target.is_dir():
        return target
    partial = target.with_name(f"{target.name}.partial-{os.getpid()}")
    wheels, unpacked = partial / "wheels", partial / "unpacked"
    wheels.mkdir(parents=True)
    try:
        (fetch or pip_fetcher(Path(sys.executable)))(requirements, wheels)
        for wheel in sorted(wheels.iterdir()):
            if not wheel.name.endswith("-none-any.whl"):
                raise InstallError(f"{wheel.name} is not a pure-Python wheel, so it cannot go into the plugin.")
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(unpacked)
        unpacked.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target
