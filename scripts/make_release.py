#!/usr/bin/env python3
"""Writes dist/linewash-VERSION.zip, which Krita's Tools > Scripts > Import Python Plugin from File takes.

The zip holds the plugin as Krita wants it, and in ``linewash/program/`` the source of the backend with its installer, which the
docker runs.  The same files give the same zip, byte for byte.  ``program/RELEASE`` names the version and all digests.
"""

import argparse
import hashlib
import json
import stat
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from installer.krita.plugin import SOURCE, copy_sources  # noqa: E402
from installer.krita.vendor import prepare_libraries  # noqa: E402
from shared.protocol import PRODUCT_VERSION, PROTOCOL_VERSION  # noqa: E402

PROGRAM = ("install.py", "pyproject.toml", "constraints.txt", "README.md", "LICENSE", "ATTRIBUTION.md")
PROGRAM_FOLDERS = ("backend", "installer", "shared")
RELEASE = "RELEASE"
FIRST_DAY = (1980, 1, 1, 0, 0, 0)
"""The date of every entry: the oldest that a zip can say."""


def program_files(project: Path) -> dict[str, bytes]:
    """Path -> content of the backend's source, as git knows the files of ``project``; no bytecode, nothing a test left."""
    command = ["git", "ls-files", "-z", "--", *PROGRAM, *PROGRAM_FOLDERS]
    names = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True).stdout.split("\0")
    return {name: (project / name).read_bytes() for name in names if name}


def plugin_files() -> dict[str, bytes]:
    """Path -> content of the plugin with ``shared`` and its libraries, below the folder ``linewash``."""
    with tempfile.TemporaryDirectory(prefix="linewash-release-") as name:
        folder = Path(name) / "linewash"
        copy_sources(folder)
        files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    libraries = prepare_libraries()
    kept = (path for path in libraries.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {**files, **{f"vendor/{path.relative_to(libraries).as_posix()}": path.read_bytes() for path in kept}}


def release_record(files: Mapping[str, bytes]) -> bytes:
    """What RELEASE says of the program's files."""
    digests = {name: hashlib.sha256(files[name]).hexdigest() for name in sorted(files)}
    record = {"version": PRODUCT_VERSION, "protocol": PROTOCOL_VERSION, "files": digests}
    return (json.dumps(record, indent=1) + "\n").encode()


def release_files(program: Mapping[str, bytes]) -> dict[str, bytes]:
    """Path in the zip -> content."""
    inside = {**plugin_files(), "LICENSE": (PROJECT / "LICENSE").read_bytes()}
    inside |= {f"program/{name}": content for name, content in program.items()}
    inside[f"program/{RELEASE}"] = release_record(program)
    files = {f"linewash/{name}": content for name, content in inside.items()}
    return {**files, "linewash.desktop": (SOURCE / "linewash.desktop").read_bytes()}


def write_zip(path: Path, files: Mapping[str, bytes]) -> None:
    """Write a zip with an entry for every folder, without which Krita's importer finds no plugin."""
    folders = {f"{parent}/" for name in files for parent in PurePosixPath(name).parents if str(parent) != "."}
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name in sorted({*files, *folders}):
            entry = zipfile.ZipInfo(name, FIRST_DAY)
            entry.create_system = 3  # Unix, wherever it is made
            entry.compress_type = zipfile.ZIP_DEFLATED
            mode = stat.S_IFDIR | 0o755 if name.endswith("/") else stat.S_IFREG | 0o644
            entry.external_attr = mode << 16 | (0x10 if name.endswith("/") else 0)
            archive.writestr(entry, files.get(name, b""), compresslevel=9)


def main() -> int:
    """Write the release; the exit status."""
    parser = argparse.ArgumentParser(description="Write the release that Krita imports.")
    parser.add_argument("--out", type=Path, default=PROJECT / "dist", help="folder to write to (default: dist)")
    options = parser.parse_args()
    path = options.out / f"linewash-{PRODUCT_VERSION}.zip"
    write_zip(path, release_files(program_files(PROJECT)))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    sys.stdout.write(f"{path}  {path.stat().st_size / 1e6:.1f} MB\nsha256 {digest}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
