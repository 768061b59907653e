"""The libraries that come with the plugin: ``requests`` and its dependencies, as pure-Python wheels with pinned hashes.

Krita's own Python is 3.8 or newer and has no pip, so the installer's Python downloads wheels for 3.8 and unpacks them into
``build/vendor/<digest of vendor.txt>``.  A folder of that name is always complete.
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
"""``fetch(requirements, folder)`` downloads the wheels listed in ``requirements`` into ``folder``."""


def pip_arguments(requirements: Path, folder: Path) -> Sequence[str]:
    """Arguments after ``python -m pip`` that download pure-Python wheels for Python 3.8 into ``folder``, hashes checked."""
    return (
        "download", "--quiet", "--disable-pip-version-check", "--no-input", "--require-hashes", "--no-deps",
        "--only-binary=:all:", "--platform", "any", "--implementation", "py", "--abi", "none", "--python-version", "3.8",
        "--dest", str(folder), "--requirement", str(requirements),
    )  # fmt: skip


def pip_fetcher(python: Path) -> FetchWheels:
    """A ``FetchWheels`` that uses the pip of ``python`` and raises InstallError when pip fails."""

    def fetch(requirements: Path, folder: Path) -> None:
        if run([python, "-m", "pip", *pip_arguments(requirements, folder)]) != 0:
            raise InstallError(
                "The plugin's libraries could not be fetched. Check that this computer is online and start the installer again."
            )

    return fetch


def prepare_libraries(fetch: FetchWheels | None = None, requirements: Path = REQUIREMENTS, cache: Path | None = None) -> Path:
    """The folder with the unpacked libraries; they are downloaded first when the folder does not exist.

    fetch: downloads the wheels (default: pip of the running Python).  cache: parent of the folders (default: ``build/vendor``).
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
