"""Assembles the Krita plugin in Krita's resource folder, and removes it."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from shared.atomic_file import write_atomically
from shared.protocol import PRODUCT_VERSION, PROTOCOL_VERSION
from shared.sandbox import current_sandbox

from ..checkout import PROJECT
from .vendor import FetchWheels, pip_fetcher, prepare_libraries

NAME = "linewash"
SOURCE = PROJECT / "krita_plugin"
_NOT_COPIED = shutil.ignore_patterns("__pycache__", "*.pyc")


def assemble_plugin(
    destination: Path, backend_python: Path | None, home: Path | None, fetch: FetchWheels | None = None
) -> Path:
    """Assemble the plugin in ``destination`` (a ``pykrita`` folder) and return its folder.

    Creates ``linewash.desktop``, ``linewash/`` with ``shared/``, ``vendor/`` and ``installation.json`` in it, and
    ``linewash.action`` in ``actions/`` beside ``pykrita`` where the plugin has one.  Each of them is replaced completely or not
    at all, and only when it differs.

    backend_python: the Python that has the backend; None leaves ``installation.json`` out (the plugin then says it is not
    installed).  home: the folder of the painter's data; None = the platform's default.  fetch: downloads the vendored wheels
    when they are not cached (default: pip of backend_python, else of the running Python).

    Raises InstallError when the vendored wheels cannot be fetched, OSError when the folder cannot be written.
    """
    libraries = prepare_libraries(fetch or (pip_fetcher(backend_python) if backend_python else None))
    destination.mkdir(parents=True, exist_ok=True)
    fresh, old, final = (destination / name for name in (f".{NAME}-new", f".{NAME}-old", NAME))
    shutil.rmtree(fresh, ignore_errors=True)
    copy_sources(fresh)
    shutil.copytree(libraries, fresh / "vendor", ignore=_NOT_COPIED)
    if backend_python is not None:
        (fresh / "installation.json").write_text(_installation_json(backend_python, home), encoding="utf-8")
    if tree_digest(fresh) == tree_digest(final):
        shutil.rmtree(fresh)
    else:
        shutil.rmtree(old, ignore_errors=True)
        if final.is_symlink():  # a developer's link to a checkout
            final.unlink()
        elif final.exists():
            final.rename(old)
        fresh.rename(final)
        shutil.rmtree(old, ignore_errors=True)
    for source, target in _single_files(destination):
        _write_if_changed(target, source.read_bytes())
    return final


def copy_sources(folder: Path) -> None:
    """Copy the plugin's own files, with ``shared`` inside as the plugin imports it, into ``folder``, which must not exist."""
    shutil.copytree(SOURCE / NAME, folder, ignore=_NOT_COPIED)
    shutil.copytree(PROJECT / "shared", folder / "shared", ignore=_NOT_COPIED)


def remove_plugin(destination: Path) -> list[Path]:
    """Remove the plugin that ``assemble_plugin`` put into ``destination`` (a ``pykrita`` folder); the removed paths."""
    removed: list[Path] = []
    for folder in (destination / NAME, destination / f".{NAME}-new", destination / f".{NAME}-old"):
        if folder.is_symlink():
            folder.unlink()
            removed.append(folder)
        elif folder.is_dir():
            shutil.rmtree(folder)
            removed.append(folder)
    for _, target in _single_files(destination):
        if target.exists():
            target.unlink()
            removed.append(target)
    return removed


def installed_version(destination: Path) -> str | None:
    """The version of the plugin in ``destination`` (a ``pykrita`` folder); None when none is installed."""
    try:
        installation = json.loads((destination / NAME / "installation.json").read_text(encoding="utf-8"))
        return str(installation["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def differs_from_checkout(destination: Path) -> bool:
    """Whether a file of this checkout's plugin is missing or different in ``destination`` (a ``pykrita`` folder)."""
    parts = ((SOURCE / NAME, destination / NAME), (PROJECT / "shared", destination / NAME / "shared"))
    pairs = [(path, target / path.relative_to(source)) for source, target in parts for path in _files(source)]
    return any(not copy.is_file() or copy.read_bytes() != path.read_bytes() for path, copy in pairs)


def tree_digest(folder: Path) -> str | None:
    """SHA-256 over names and contents of all files under ``folder`` except ``__pycache__``; None when it is no folder."""
    if not folder.is_dir():
        return None
    digest = hashlib.sha256()
    for path in sorted(_files(folder)):
        digest.update(str(path.relative_to(folder)).encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__"]
        yield from (Path(root) / name for name in names)


def _single_files(destination: Path) -> Iterator[tuple[Path, Path]]:
    yield SOURCE / f"{NAME}.desktop", destination / f"{NAME}.desktop"
    if (SOURCE / f"{NAME}.action").exists():
        yield SOURCE / f"{NAME}.action", destination.parent / "actions" / f"{NAME}.action"


def _installation_json(backend_python: Path, home: Path | None) -> str:
    installation = {
        "python": str(backend_python.absolute()),
        "project": str(PROJECT),
        "home": str(home.absolute()) if home else None,
        "sandbox": current_sandbox(os.environ),
        "version": PRODUCT_VERSION,
        "protocol": PROTOCOL_VERSION,
    }
    return json.dumps(installation, indent=2) + "\n"


def _write_if_changed(target: Path, content: bytes) -> None:
    if target.is_file() and target.read_bytes() == content:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(target, content)
