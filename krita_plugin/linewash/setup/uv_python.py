"""Gets a Python of Linewash's own through uv, where the computer has none that fits.  Blocks.

uv comes from the package index as a wheel with a pinned digest, the Python from where uv takes it: python-build-standalone's
releases, or the mirror that UV_PYTHON_INSTALL_MIRROR names.
"""

import platform
import shutil
import subprocess
import sys
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Dict, List, Mapping, Optional

from ..shared.errors import ErrorCode, LinewashError
from .package_index import PackageIndex, Report, download_package
from .system_python import no_window, probe_python

PINS = Path(__file__).with_name("uv.txt")
PYTHON_VERSION = "3.12"
_POLL_S = 0.2
_TAIL = 1500


@dataclass(frozen=True)
class UvWheel:
    """A wheel of uv for one kind of computer."""

    file: str
    sha256: str

    @property
    def version(self) -> str:
        """Of uv."""
        return self.file.split("-")[1]


def pinned_wheel(text: str, system: str, machine: str) -> Optional[UvWheel]:
    """The wheel for a computer (``sys.platform``, ``platform.machine()``), from the file of pins; None = there is none."""
    for line in text.splitlines():
        words = line.split()
        if words[:2] == [system, machine.lower()]:
            return UvWheel(words[3], words[2])
    return None


def existing_uv_python(tools: Path, environment: Mapping[str, str]) -> Optional[Path]:
    """The Python that an earlier set-up brought into ``tools``; None = none that works."""
    pattern = "*/python.exe" if sys.platform == "win32" else "*/bin/python" + PYTHON_VERSION
    for candidate in sorted((tools / "python").glob(pattern)):
        python = probe_python(candidate, environment)
        if python is not None:
            return python
    return None


def fetch_uv(tools: Path, index: PackageIndex, report: Report) -> Path:
    """The program uv in ``tools``, downloaded unless it is there.

    LinewashError: SETUP_NO_PYTHON when there is no uv for this computer, else as ``download_package``.
    """
    wheel = pinned_wheel(PINS.read_text(encoding="utf-8"), sys.platform, platform.machine())
    if wheel is None:
        raise LinewashError(ErrorCode.SETUP_NO_PYTHON, "no uv for %s on %s" % (sys.platform, platform.machine()))
    name = "uv.exe" if sys.platform == "win32" else "uv"
    folder = tools / ("uv-" + wheel.version)
    if not (folder / name).is_file():
        archive = tools / wheel.file
        download_package(index, "uv", wheel.file, wheel.sha256, archive, report)
        fresh = folder.with_name(folder.name + ".part")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        with zipfile.ZipFile(archive) as content:
            (fresh / name).write_bytes(content.read("uv-%s.data/scripts/%s" % (wheel.version, name)))
        (fresh / name).chmod(0o755)
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)
        archive.unlink()
    return folder / name


def install_uv_python(
    uv: Path, tools: Path, environment: Mapping[str, str], certificates: str, is_cancelled: Callable[[], bool]
) -> Optional[Path]:
    """Let uv put a Python into ``tools``; None when ``is_cancelled``.  LinewashError SETUP_NO_PYTHON with what uv said."""
    own: Dict[str, str] = {
        "UV_PYTHON_INSTALL_DIR": str(tools / "python"),
        "UV_CACHE_DIR": str(tools / "cache"),
        "UV_NO_PROGRESS": "1",
        "NO_COLOR": "1",
    }
    settings = {**environment, **own}
    if certificates:
        settings.setdefault("SSL_CERT_FILE", certificates)
    log = tools / "uv.log"
    command = [str(uv), "python", "install", PYTHON_VERSION, "--no-bin"]
    with log.open("wb") as output:
        process = _start(command, settings, output)
        while process.poll() is None:
            if is_cancelled():
                process.kill()
                process.wait()
                return None
            time.sleep(_POLL_S)
    python = existing_uv_python(tools, environment) if process.returncode == 0 else None
    if python is None:
        raise LinewashError(ErrorCode.SETUP_NO_PYTHON, log.read_text("utf-8", "replace")[-_TAIL:].strip())
    shutil.rmtree(tools / "cache", ignore_errors=True)
    return python


def _start(command: List[str], environment: Mapping[str, str], output: object) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=output,  # type: ignore[arg-type]
        stderr=subprocess.STDOUT,
        **no_window(),
    )
