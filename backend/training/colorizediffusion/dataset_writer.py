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
LOOSE_FOLDER = "all"
"""Folder of pictures that stay files."""
SOURCE_KEY = "source"
"""In a list: which picture it was."""
PER_LIST = 1000
"""Pictures in a list: it is written anew with each of them."""


class DatasetWriter:
    """The data set in ``folder``.  archive: pictures in a zip archive, 0 = they stay files."""

    def __init__(self, folder: Path, archive_size: int) -> None:
        self._folder, self._archive_size = folder, archive_size
        lists = sorted(folder.glob("image_list_[0-9]*.json"))
        listed = [json.loads(path.read_text(encoding="utf-8")) for path in lists]
        self.sources = {str(entry[SOURCE_KEY]) for entries in listed for entry in entries.values() if SOURCE_KEY in entry}
        self._taken = {PurePosixPath(name).stem.casefold() for entries in listed for name in entries}
        self._number, self._entries = -1, dict[str, dict[str, object]]()
        if not lists:
            self._start_list()
            return
        self._number, self._entries = int(lists[-1].stem.rpartition("_")[2]), listed[-1]
        if any(
            PurePosixPath(name).parent.name != self._folder_name for name in self._entries
        ):  # files then, archives now, or vice versa
            self._start_list()
        elif self._archive_size and self._has_archive():  # ended while its files were taken away, or before the next list
            self._remove_loose_files()
            self._start_list()
        elif self._is_full():
            self._finish_list()

    def add(self, source: str, stem: str, parts: dict[str, np.ndarray]) -> str:
        """Write and list a picture, ``stem`` its name if that is free; its name in the data set."""
        name = f"{self._folder_name}/{self._unique_stem(stem)}.png"
        for part in PARTS:
            if part in parts:
                _write(self._folder / part / name, _encode_png(parts[part]))
        height, width = parts[COLOR].shape[:2]
        entry: dict[str, object] = {"resolution": [width, height], "exist_sketch": True, SOURCE_KEY: source}
        self._entries[name] = entry
        listing = json.dumps(self._entries, indent=1, ensure_ascii=False) + "\n"
        _write(self._folder / f"image_list_{self._number:04d}.json", listing.encode())
        self._taken.add(PurePosixPath(name).stem.casefold())
        self.sources.add(source)
        if self._is_full():
            self._finish_list()
        return name

    def close(self) -> None:
        """There are no more pictures for now: the last archive is made of those there are."""
        if self._archive_size and self._entries:
            self._finish_list()

    @property
    def _folder_name(self) -> str:
        return f"{self._number:04d}" if self._archive_size else LOOSE_FOLDER

    def _unique_stem(self, stem: str) -> str:
        """``stem``, with a number where another picture has that name; on some disks a and A are one name."""
        found, number = stem, 2
        while found.casefold() in self._taken:
            found, number = f"{stem}_{number}", number + 1
        return found

    def _is_full(self) -> bool:
        return len(self._entries) >= (self._archive_size or PER_LIST)

    def _has_archive(self) -> bool:
        """Whether there are archives of this number; the last part's is the last to be written."""
        return (self._folder / PARTS[-1] / f"{self._number:04d}.zip").exists()

    def _finish_list(self) -> None:
        """The list is full: its pictures go into archives, and those after them into another list."""
        if self._archive_size:
            for part in PARTS:
                self._pack(part)
            self._remove_loose_files()
        self._start_list()

    def _start_list(self) -> None:
        """Another list; its number is no archive's that somebody else put there."""
        self._number, self._entries = self._number + 1, {}
        while any((self._folder / part / f"{self._number:04d}.zip").exists() for part in PARTS):
            self._number += 1

    def _pack(self, part: str) -> None:
        files = [name for name in self._entries if (self._folder / part / name).is_file()]
        target = self._folder / part / f"{self._folder_name}.zip"
        if target.exists() or not files:
            return
        with zipfile.ZipFile(_part_path(target), "w") as archive:
            for name in files:
                archive.write(self._folder / part / name, name)
        _part_path(target).replace(target)

    def _remove_loose_files(self) -> None:
        """Take away the files of this list: they are in archives now."""
        for part in PARTS:
            shutil.rmtree(self._folder / part / self._folder_name, ignore_errors=True)


def _part_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    _part_path(path).write_bytes(content)
    _part_path(path).replace(path)


def _encode_png(picture: np.ndarray) -> bytes:
    packed = BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(packed, "PNG")
    return packed.getvalue()
