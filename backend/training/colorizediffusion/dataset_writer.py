"""A data set on disk that grows: whenever its making is ended, even by force, what is listed is whole, and it can go on.

Pictures lie as files until an archive is full, and each is listed when all its parts are there.  What is written is given its
name when it is complete.
"""

import json
import shutil
import zipfile
from io import BytesIO
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from backend.training.colorizediffusion.dataset import COLOR, MASK, SKETCH

PARTS = (COLOR, MASK, SKETCH)
"""In the order in which they are written: what is in the last is in the others."""
LOOSE = "all"
"""Folder of pictures that stay files."""
SOURCE = "source"
"""In a list: which picture it was."""
PER_LIST = 1000
"""Pictures in a list: it is written anew with each of them."""


class DatasetWriter:
    """The data set in ``folder``.  archive: pictures in a zip archive, 0 = they stay files."""

    def __init__(self, folder: Path, archive: int) -> None:
        self._folder, self._archive = folder, archive
        lists = sorted(folder.glob("image_list_[0-9]*.json"))
        listed = [json.loads(path.read_text(encoding="utf-8")) for path in lists]
        self.sources = {str(entry[SOURCE]) for entries in listed for entry in entries.values() if SOURCE in entry}
        self._taken = {PurePosixPath(name).stem.casefold() for entries in listed for name in entries}
        self._number, self._open = -1, dict[str, dict[str, object]]()
        if not lists:
            self._next()
            return
        self._number, self._open = int(lists[-1].stem.rpartition("_")[2]), listed[-1]
        if any(
            PurePosixPath(name).parent.name != self._group for name in self._open
        ):  # files then, archives now, or vice versa
            self._next()
        elif self._archive and self._archives():  # ended while its files were taken away, or before the next list
            self._clear()
            self._next()
        elif self._full():
            self._end()

    def add(self, source: str, stem: str, parts: dict[str, np.ndarray]) -> str:
        """Write and list a picture, ``stem`` its name if that is free; its name in the data set."""
        name = f"{self._group}/{self._free(stem)}.png"
        for part in PARTS:
            if part in parts:
                _write(self._folder / part / name, _png(parts[part]))
        height, width = parts[COLOR].shape[:2]
        entry: dict[str, object] = {"resolution": [width, height], "exist_sketch": True, SOURCE: source}
        self._open[name] = entry
        listing = json.dumps(self._open, indent=1, ensure_ascii=False) + "\n"
        _write(self._folder / f"image_list_{self._number:04d}.json", listing.encode())
        self._taken.add(PurePosixPath(name).stem.casefold())
        self.sources.add(source)
        if self._full():
            self._end()
        return name

    def close(self) -> None:
        """There are no more pictures for now: the last archive is made of those there are."""
        if self._archive and self._open:
            self._end()

    @property
    def _group(self) -> str:
        return f"{self._number:04d}" if self._archive else LOOSE

    def _free(self, stem: str) -> str:
        """``stem``, with a number where another picture has that name; on some disks a and A are one name."""
        found, number = stem, 2
        while found.casefold() in self._taken:
            found, number = f"{stem}_{number}", number + 1
        return found

    def _full(self) -> bool:
        return len(self._open) >= (self._archive or PER_LIST)

    def _archives(self) -> bool:
        """Whether there are archives of this number; the last part's is the last to be written."""
        return (self._folder / PARTS[-1] / f"{self._number:04d}.zip").exists()

    def _end(self) -> None:
        """The list is full: its pictures go into archives, and those after them into another list."""
        if self._archive:
            for part in PARTS:
                self._pack(part)
            self._clear()
        self._next()

    def _next(self) -> None:
        """Another list; its number is no archive's that somebody else put there."""
        self._number, self._open = self._number + 1, {}
        while any((self._folder / part / f"{self._number:04d}.zip").exists() for part in PARTS):
            self._number += 1

    def _pack(self, part: str) -> None:
        files = [name for name in self._open if (self._folder / part / name).is_file()]
        target = self._folder / part / f"{self._group}.zip"
        if target.exists() or not files:
            return
        with zipfile.ZipFile(_unfinished(target), "w") as archive:
            for name in files:
                archive.write(self._folder / part / name, name)
        _unfinished(target).replace(target)

    def _clear(self) -> None:
        """Take away the files of this list: they are in archives now."""
        for part in PARTS:
            shutil.rmtree(self._folder / part / self._group, ignore_errors=True)


def _unfinished(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    _unfinished(path).write_bytes(content)
    _unfinished(path).replace(path)


def _png(picture: np.ndarray) -> bytes:
    packed = BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(packed, "PNG")
    return packed.getvalue()
