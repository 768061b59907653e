"""Digests of the foreign art behind a training set; ATTRIBUTION.md lists them, so anybody can check them."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from backend.training.synthetic.mixture import ArtFolders
from backend.training.synthetic.rigged3d.rigs import model_files
from backend.training.synthetic.scenes.panels import panel_files

RECORD = "sources.json"
"""Name of the file beside the shards that lists the digests."""


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def list_digest(files: Iterable[Path], base: Path) -> str:
    """SHA-256 of what `sha256sum` prints for the files, sorted by the bytes of their names relative to `base`."""
    names = sorted(file.relative_to(base).as_posix() for file in files)
    lines = "".join(f"{file_digest(base / name)}  {name}\n" for name in names)
    return hashlib.sha256(lines.encode()).hexdigest()


def source_digests(folders: ArtFolders) -> dict[str, str]:
    """Digests by name: one for each model file, each texture folder and the panels; held-out art is left out."""
    digests: dict[str, str] = {}
    if folders.models3d:
        for file in model_files(folders.models3d, held_out=False):
            digests[file.name] = file_digest(file)
        for folder in sorted(folders.models3d.glob("*_textures")):
            files = list(folder.glob("*.webp"))
            digests[f"{folder.name}/, {len(files)} files"] = list_digest(files, folders.models3d)
    if folders.panels:
        files = panel_files(folders.panels, held_out=False)
        digests[f"panels, {len(files)} files"] = list_digest(files, folders.panels)
    return digests


def record_sources(out: Path, folders: ArtFolders) -> Path:
    """Write sources.json beside the shards.

    Raises ValueError when the folder already holds shards drawn from other art: the record would be wrong for them.
    """
    path, text = out / RECORD, json.dumps(source_digests(folders), indent=1, sort_keys=True) + "\n"
    if path.exists() and path.read_text("utf-8") != text:
        raise ValueError(f"{out.name} holds shards drawn from other art, see its {RECORD}: choose another folder")
    out.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path
