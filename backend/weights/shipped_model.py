"""A folder with one model: .safetensors files, ``config.json``, and ``SHA256SUMS`` over all of them."""

import hashlib
import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from shared.errors import ErrorCode, LinewashError

CHECKSUMS = "SHA256SUMS"
CONFIG = "config.json"
SHIPPED_MODELS = Path(__file__).resolve().parent.parent / "data"
"""Folder of the models that come with the program, one subfolder each."""


def model_folder(name: str, models_dir: Path) -> Path:
    """``models_dir/name`` if it exists, else the shipped model's folder.  ``name`` is a registry key, never user input."""
    folder = models_dir / name
    return folder if folder.is_dir() else SHIPPED_MODELS / name


def find_missing_file(folder: Path) -> str:
    """The first file missing from the folder, of ``SHA256SUMS`` and those it lists; '' = complete.  Digests are not checked."""
    if not (folder / CHECKSUMS).is_file():
        return CHECKSUMS
    names = [line.split("  ", 1)[-1] for line in (folder / CHECKSUMS).read_text(encoding="utf-8").splitlines() if line]
    return next((name for name in names if not (folder / name).is_file()), "")


class ModelFolder:
    """A model's files; each is checked against its digest when it is read.

    Raises LinewashError: MODEL_MISSING when a file is not there, MODEL_CORRUPT when one is not what ``SHA256SUMS`` says.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._sums: dict[str, str] = {}
        for line in self._read(CHECKSUMS).decode("utf-8", "replace").splitlines():
            digest, separator, name = line.partition("  ")
            if separator:
                self._sums[name] = digest

    def _read(self, name: str) -> bytes:
        try:
            return (self.folder / name).read_bytes()
        except OSError as error:
            raise LinewashError(ErrorCode.MODEL_MISSING, f"{self.folder / name}: {error.strerror}") from error

    def _read_verified(self, name: str) -> bytes:
        data = self._read(name)
        if hashlib.sha256(data).hexdigest() != self._sums.get(name):
            raise LinewashError(ErrorCode.MODEL_CORRUPT, f"{self.folder / name} is not what {CHECKSUMS} says")
        return data

    def config(self) -> dict[str, Any]:
        """``config.json``: constructor arguments for each network."""
        return json.loads(self._read_verified(CONFIG))

    def tensors(self, part: str) -> dict[str, Tensor]:
        """The tensors of ``part``.safetensors, as stored."""
        try:
            return load(self._read_verified(f"{part}.safetensors"))
        except SafetensorError as error:
            raise LinewashError(ErrorCode.MODEL_CORRUPT, f"{self.folder / part}: {error}") from error


def write_checksums(folder: Path, names: list[str]) -> None:
    """Write ``SHA256SUMS`` over the named files, in the format of ``sha256sum -c``."""
    lines = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}" for name in names]
    (folder / CHECKSUMS).write_text("\n".join(lines) + "\n", encoding="utf-8")
