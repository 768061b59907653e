"""Finds damaged files of the shipped model and restores them from git."""

import hashlib
from pathlib import Path

from .messages import InstallError, info
from .subprocesses import capture_output

MODEL = Path("backend") / "data" / "mini"
SUMS = "SHA256SUMS"


def find_damaged_files(folder: Path) -> list[str]:
    """Files of ``folder`` that are missing or differ from its SHA256SUMS; that file itself when it is missing."""
    if not (folder / SUMS).is_file():
        return [SUMS]
    lines = [line.split() for line in (folder / SUMS).read_text(encoding="utf-8").splitlines() if line.strip()]
    return [name for digest, name in lines if _digest(folder / name) != digest]


def restore_damaged_files(project: Path) -> bool:
    """Restore damaged model files of ``project`` from git; whether any was damaged.

    The damaged files are kept beside them as ``*.damaged``.  Raises InstallError when git cannot restore them.
    """
    folder = project / MODEL
    names = find_damaged_files(folder)
    for name in names:
        if (folder / name).exists():
            (folder / name).replace(folder / (name + ".damaged"))
    if names:
        capture_output(["git", "checkout", "--", *(str(MODEL / name) for name in names)], cwd=project)
        if find_damaged_files(folder):
            raise InstallError(
                f"The model is damaged ({', '.join(names)}) and git cannot bring it back. Download Linewash again."
            )
        info(f"The model was damaged and is restored: {', '.join(names)}.")
    return bool(names)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
