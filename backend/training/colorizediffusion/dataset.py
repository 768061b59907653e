"""Data in the published layout (spec 21.5): ``color/``, ``sketch/`` and ``mask/`` with the same names, zipped or not.

Zipped, each of the three holds archives: ``color/0001.zip`` has the pictures ``0001/NAME.png``.  ``image_list*.json`` beside
them, when there is one, tells which to use.  Unzipped the pictures lie there as files, in folders or not.  A data set may have
both, as while one is made.
"""

import json
import zipfile
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any, cast

import numpy as np
from PIL import Image

from backend.imaging.types import Gray, Rgb

COLOR, SKETCH, MASK = "color", "sketch", "mask"
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
_UNFILTERED_PREFIX = "ai"
"""Archives whose names begin so are used whole, whatever the lists say."""


@dataclass(frozen=True)
class Filters:
    """What a listed picture must have: aesthetic score, smallest side in pixels; and a sketch in any case."""

    min_score: float = 0.0
    min_side: int = 0

    def accepts(self, entry: dict[str, Any]) -> bool:
        """Whether an entry of ``image_list*.json`` may be used; what it does not say is no reason against it."""
        scored = float(entry.get("aesthetic_score", self.min_score)) >= self.min_score
        return (
            scored
            and _smallest_side(entry.get("resolution"), self.min_side) >= self.min_side
            and bool(entry.get("exist_sketch", True))
        )


def _smallest_side(said: Any, unknown: int) -> int:
    """Of a resolution as a number, a list, or text like 768x1024."""
    if said is None:
        return unknown
    parts = said.replace("*", "x").split("x") if isinstance(said, str) else said if isinstance(said, list) else [said]
    return min(int(float(part)) for part in cast(list[Any], parts))


@dataclass(frozen=True)
class Example:
    """One picture at its own size: colors (H, W, 3), lines dark on white (H, W), figure mask (H, W) of 0..255 or None."""

    name: str
    color: Rgb
    sketch: Gray
    mask: Gray | None


class DatasetError(ValueError):
    """A data set that cannot be used, and why."""


@dataclass
class ImageDataset:
    """The pictures of a folder in that layout, in the order of their names.

    masks: whether every picture needs one.  Raises DataError when there is none, or a mask is missing.
    """

    folder: Path
    masks: bool
    filters: Filters = Filters()
    _names: list[str] = field(init=False, repr=False)
    _open: dict[Path, tuple[zipfile.ZipFile, dict[str, str]]] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        zipped = sorted((self.folder / SKETCH).glob("*.zip"))
        allowed = _allowed_names(self.folder, self.filters)
        self._names = sorted({*_names_in_archives(zipped, allowed), *_names_in_folder(self.folder / SKETCH, allowed)})
        if not self._names:
            raise DatasetError(f"{self.folder} holds no pictures in {SKETCH}/ that may be used")

    def __len__(self) -> int:
        return len(self._names)

    def __getstate__(self) -> dict[str, Any]:
        """Without open archives: another process opens its own."""
        return {**self.__dict__, "_open": {}}

    def refresh(self) -> int:
        """How many pictures there are; a data set does not grow while it is learned."""
        return len(self)

    def read(self, number: int) -> Example:
        """Picture ``number``.  Raises DataError when a part of it is missing or no picture."""
        name = self._names[number]
        mask = self._read_image(MASK, name, "L") if self.masks else None
        return Example(name, self._read_image(COLOR, name, "RGB"), self._read_image(SKETCH, name, "L"), mask)

    def _read_image(self, part: str, name: str, mode: str) -> np.ndarray:
        try:
            with Image.open(BytesIO(self._read_bytes(part, PurePosixPath(name)))) as picture:
                return np.asarray(picture.convert(mode))
        except (OSError, KeyError, zipfile.BadZipFile) as error:
            raise DatasetError(f"{part}/{name} in {self.folder} cannot be read: {error}") from error

    def _read_bytes(self, part: str, name: PurePosixPath) -> bytes:
        archive = self.folder / part / f"{name.parent}.zip"
        if not archive.is_file():
            return _find_file(self.folder / part / name).read_bytes()
        if archive not in self._open:
            opened = zipfile.ZipFile(archive)
            self._open[archive] = opened, {PurePosixPath(member).stem: member for member in opened.namelist()}
        inside, members = self._open[archive]
        return inside.read(members[name.stem])


def _find_file(path: Path) -> Path:
    """The file itself, or the one of that name with another ending."""
    return next((found for found in (path, *(path.with_suffix(ending) for ending in IMAGE_SUFFIXES)) if found.is_file()), path)


def _allowed_names(folder: Path, filters: Filters) -> set[str] | None:
    """Names, without endings, that the lists allow; None when there is no list."""
    lists = sorted(folder.glob("image_list*.json"))
    if not lists:
        return None
    entries: dict[str, dict[str, Any]] = {}
    for path in lists:
        entries.update(json.loads(path.read_text(encoding="utf-8")))
    return {str(PurePosixPath(name).with_suffix("")) for name, entry in entries.items() if filters.accepts(entry)}


def _names_in_archives(archives: list[Path], allowed: set[str] | None) -> list[str]:
    names: list[str] = []
    for archive in archives:
        with zipfile.ZipFile(archive) as inside:
            inner = [PurePosixPath(member) for member in inside.namelist() if member.lower().endswith(IMAGE_SUFFIXES)]
        found = [str(PurePosixPath(archive.stem) / path.name) for path in inner]
        every = allowed is None or archive.stem.startswith(_UNFILTERED_PREFIX)
        names += [name for name in found if every or str(PurePosixPath(name).with_suffix("")) in cast(set[str], allowed)]
    return names


def _names_in_folder(folder: Path, allowed: set[str] | None) -> list[str]:
    found = [path for pattern in ("*", "*/*") for path in folder.glob(pattern) if path.suffix.lower() in IMAGE_SUFFIXES]
    names = [path.relative_to(folder).as_posix() for path in found]
    return [name for name in names if allowed is None or str(PurePosixPath(name).with_suffix("")) in allowed]
