"""Writes a data set that can grow.

After any interruption, even a kill, all listed images are complete and writing can continue: an image is listed when all its
parts are written, and every file gets its name when it is complete.  Images lie as loose files until there are enough of them
for an archive.
"""

import json
import shutil
import zipfile
from io import BytesIO
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from backend.training.colorizediffusion.dataset import COLOR, MASK, SKETCH
from shared.atomic_file import replace_atomically, write_atomically

PARTS = (COLOR, MASK, SKETCH)
"""In the order in which they are written: what is in the last is in the others."""
LOOSE_FOLDER = "all"
"""Folder of images that stay loose files."""
SOURCE_KEY = "source"
"""In an entry of a list: the file that the image was made from."""
PER_LIST = 1000
"""Images in a list: the list is rewritten for each of them."""


class DatasetWriter:
    """Adds images to the data set in ``folder``; continues the data set that is there."""

    def __init__(self, folder: Path, archive_size: int) -> None:
        """archive_size: images in a zip archive, 0 = they stay loose files."""
        self._folder, self._archive_size = folder, archive_size
        lists = sorted(folder.glob("image_list_[0-9]*.json"))
        entries = [json.loads(path.read_text(encoding="utf-8")) for path in lists]
        self.sources = {str(entry[SOURCE_KEY]) for listed in entries for entry in listed.values() if SOURCE_KEY in entry}
        self._used_stems = {PurePosixPath(name).stem.casefold() for listed in entries for name in listed}
        self._number, self._entries = -1, dict[str, dict[str, object]]()
        if not lists:
            self._start_list()
            return
        self._number, self._entries = int(lists[-1].stem.rpartition("_")[2]), entries[-1]
        if any(PurePosixPath(name).parent.name != self._folder_name for name in self._entries):
            self._start_list()  # the images were loose files and now go into archives, or the other way round
        elif self._archive_size and self._has_archive():
            self._remove_loose_files()  # interrupted after packing: before this was done, or before the next list
            self._start_list()
        elif self._is_full():
            self._finish_list()

    def add(self, source: str, stem: str, parts: dict[str, np.ndarray]) -> str:
        """Write and list an image; returns its name in the data set, made from ``stem``.

        source: the file it was made from.  parts: its arrays by part, see PARTS; the mask may be missing.
        """
        name = f"{self._folder_name}/{self._unique_stem(stem)}.png"
        for part in PARTS:
            if part in parts:
                _write(self._folder / part / name, _encode_png(parts[part]))
        height, width = parts[COLOR].shape[:2]
        entry: dict[str, object] = {"resolution": [width, height], "exist_sketch": True, SOURCE_KEY: source}
        # Listed after its files are written: what a list names is complete, whatever interrupts this.
        self._entries[name] = entry
        text = json.dumps(self._entries, indent=1, ensure_ascii=False) + "\n"
        _write(self._folder / f"image_list_{self._number:04d}.json", text.encode())
        self._used_stems.add(PurePosixPath(name).stem.casefold())
        self.sources.add(source)
        if self._is_full():
            self._finish_list()
        return name

    def close(self) -> None:
        """Pack the remaining loose files into an archive, where there are to be archives."""
        if self._archive_size and self._entries:
            self._finish_list()

    @property
    def _folder_name(self) -> str:
        """The folder, or the archive to be, of the current list's images."""
        return f"{self._number:04d}" if self._archive_size else LOOSE_FOLDER

    def _unique_stem(self, stem: str) -> str:
        """``stem``, with a number where another image has that name; on some disks a and A are one name."""
        unique, number = stem, 2
        while unique.casefold() in self._used_stems:
            unique, number = f"{stem}_{number}", number + 1
        return unique

    def _is_full(self) -> bool:
        return len(self._entries) >= (self._archive_size or PER_LIST)

    def _has_archive(self) -> bool:
        """Whether the current list is packed; the archive of the last part is the last to be written."""
        return (self._folder / PARTS[-1] / f"{self._number:04d}.zip").exists()

    def _finish_list(self) -> None:
        """Pack the images of the full list, where there are to be archives, and start the next list."""
        if self._archive_size:
            for part in PARTS:
                self._pack(part)
            self._remove_loose_files()
        self._start_list()

    def _start_list(self) -> None:
        """Start the next list; its number is not that of an archive which somebody else put there."""
        self._number, self._entries = self._number + 1, {}
        while any((self._folder / part / f"{self._number:04d}.zip").exists() for part in PARTS):
            self._number += 1

    def _pack(self, part: str) -> None:
        """Pack one part of the current list's images into its archive, unless that was done before an interruption."""
        files = [name for name in self._entries if (self._folder / part / name).is_file()]
        target = self._folder / part / f"{self._folder_name}.zip"
        if target.exists() or not files:
            return
        with replace_atomically(target) as part_file, zipfile.ZipFile(part_file, "w") as archive:
            for name in files:
                archive.write(self._folder / part / name, name)

    def _remove_loose_files(self) -> None:
        """Remove the files of this list: they are in archives now."""
        for part in PARTS:
            shutil.rmtree(self._folder / part / self._folder_name, ignore_errors=True)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content)


def _encode_png(image: np.ndarray) -> bytes:
    buffer = BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(buffer, "PNG")
    return buffer.getvalue()
