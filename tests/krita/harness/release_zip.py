"""Releases as Krita imports them: the real one, and one whose packages are tiny while all else is the product's own."""

import hashlib
import importlib.util
import io
import json
import sysconfig
import zipfile
from pathlib import Path
from typing import Any

from installer.krita import kritarc
from shared.protocol import PRODUCT_VERSION, PROTOCOL_VERSION
from tests.install.set_up.package_index import make_wheel
from tests.install.set_up.tiny_release import PYPROJECT, WHEELS
from tests.krita.harness.profile import Profile

PROJECT = Path(__file__).resolve().parents[3]
BRIDGE = make_wheel("bridge", {"bridge.pth": f"{sysconfig.get_paths()['purelib']}\n{PROJECT}\n".encode()})
"""A package through which the environment that is set up sees the libraries that the tests run with: so the product's own
backend colors in it, and no gigabyte has to be unpacked for that."""
TINY_WHEELS = {**WHEELS, **dict((BRIDGE,))}


def release_script() -> Any:
    """``scripts/make_release.py`` as a module."""
    spec = importlib.util.spec_from_file_location("make_release", PROJECT / "scripts" / "make_release.py")
    assert spec is not None and spec.loader is not None
    script: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


def make_zip(folder: Path) -> Path:
    """The release of this checkout."""
    script, path = release_script(), folder / "linewash.zip"
    script.write_zip(path, script.release_files(script.program_files(PROJECT)))
    return path


def make_tiny_zip(path: Path, version: str = PRODUCT_VERSION) -> Path:
    """The release of this checkout, of another version, with tiny packages."""
    script = release_script()
    program = {
        **script.program_files(PROJECT),
        "pyproject.toml": PYPROJECT.replace('    "small>=1",\n', '    "small>=1",\n    "bridge>=1",\n').encode(),
        "constraints.txt": b"large==1.0\nmany==1.0\nsmall==1.0\nbridge==1.0\n",
    }
    digests = {name: hashlib.sha256(program[name]).hexdigest() for name in sorted(program)}
    record = json.dumps({"version": version, "protocol": PROTOCOL_VERSION, "files": digests}).encode()
    script.write_zip(path, {**script.release_files(program), "linewash/program/RELEASE": record})
    return path


def import_zip(path: Path, profile: Profile) -> None:
    """What Krita's importer does with a release (``test_release.py`` lets Krita do it)."""
    with zipfile.ZipFile(path) as archive:
        archive.extractall(profile.resources / "pykrita")
    kritarc.write(profile.kritarc, kritarc.enable(kritarc.read(profile.kritarc)))


def package_files() -> dict[str, bytes]:
    """Path in site-packages -> content of everything that the tiny wheels hold."""
    files: dict[str, bytes] = {}
    for content in TINY_WHEELS.values():
        with zipfile.ZipFile(io.BytesIO(content)) as wheel:
            files |= {name: wheel.read(name) for name in wheel.namelist() if ".dist-info/" not in name}
    return files
