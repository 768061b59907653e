"""Data in the published layout (spec 21.5): ``color/``, ``sketch/`` and ``mask/`` with the same names, zipped or not.

Zipped, each of the three holds archives: ``color/0001.zip`` has the images ``0001/NAME.png``.  ``image_list*.json`` beside
them, when there is one, says which to use.  Unzipped, the images lie there as files, in folders or not.  A data set may have
both, as it does while one is being made.
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
"""Folders of a data set; the last may be missing."""
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
_UNFILTERED_PREFIX = "ai"
"""Archives whose names begin so are used whole, whatever the lists say."""


@dataclass(frozen=True)
class Filters:
    """What a listed image must have, besides a sketch."""

    min_score: float = 0.0
    """Aesthetic score."""
    min_side: int = 0
    """Shorter side, pixels."""

    def accepts(self, entry: dict[str, Any]) -> bool:
        """Whether the image of an entry of ``image_list*.json`` may be used; values that the entry lacks are not checked."""
        score = float(entry.get("aesthetic_score", self.min_score))
        side = _shorter_side(entry.get("resolution"), self.min_side)
        return score >= self.min_score and side >= self.min_side and bool(entry.get("exist_sketch", True))

    def describe(self, left_out: int) -> str:
        """A sentence for so many images that are left out; '' for none."""
        if not left_out:
            return ""
        score = f", an aesthetic score of {self.min_score:g} (--min-score)" if self.min_score else ""
        side = f", a shorter side of {self.min_side} pixels (--min-side)" if self.min_side else ""
        return f"Listed images left out: {left_out}. Needed are a sketch{score}{side}."


def _shorter_side(resolution: Any, default: int) -> int:
    """Of a resolution given as a number, a list, or text like 768x1024."""
    if resolution is None:
        return default
    if isinstance(resolution, str):
        sides: list[Any] = list(resolution.replace("*", "x").split("x"))
    else:
        sides = cast(list[Any], resolution) if isinstance(resolution, list) else [resolution]
    return min(int(float(side)) for side in sides)


@dataclass(frozen=True)
class Example:
    """One image at its own size."""

    name: str
    color: Rgb
    """(H, W, 3)."""
    sketch: Gray
    """(H, W), lines dark on white."""
    mask: Gray | None
    """(H, W), 255 = foreground; None when the data set was opened without masks."""


class DatasetError(ValueError):
    """A data set that cannot be used, and why."""


@dataclass
class ImageDataset:
    """The images of a folder in the published layout, in the order of their names.

    Raises DatasetError when there are none.
    """

    folder: Path
    masks: bool
    """Whether the masks are read, which every image then needs."""
    filters: Filters = Filters()
    sketches: tuple[str, ...] = (SKETCH,)
    """Folders of sketches, each with one of every image that the first has; paths from ``folder``, or whole ones."""
    notice: str = field(init=False, repr=False, default="")
    """A sentence where the filters leave listed images out; '' where they do not."""
    _names: list[str] = field(init=False, repr=False)
    """FOLDER/NAME or NAME of each image, with its suffix."""
    _archives: dict[Path, tuple[zipfile.ZipFile, dict[str, str]]] = field(init=False, repr=False, default_factory=dict)
    """The archives opened so far, and for each the member of every image's name without suffix."""

    def __post_init__(self) -> None:
        first, *others = self.sketches
        listed = _listed_images(self.folder)
        accepted = [name for name, entry in (listed or {}).items() if self.filters.accepts(entry)]
        allowed = None if listed is None else {_stem(name) for name in accepted}
        self.notice = self.filters.describe(len(listed or ()) - len(accepted))
        self._names = self._names_in(first, allowed)
        if not self._names:
            raise DatasetError(f"{self.folder} holds no images in {first}/ that may be used. {self.notice}".rstrip())
        for other in others:
            missing = sorted({_stem(name) for name in self._names} - {_stem(name) for name in self._names_in(other, allowed)})
            if missing:
                raise DatasetError(f"{len(missing)} sketches of {first}/ are missing in {other}/, such as {missing[0]}")

    def _names_in(self, part: str, allowed: set[str] | None) -> list[str]:
        """``allowed``: names without suffix; None: all."""
        folder = self.folder / part
        return sorted({*_names_in_archives(sorted(folder.glob("*.zip")), allowed), *_names_in_folder(folder, allowed)})

    def __len__(self) -> int:
        return len(self._names)

    def __getstate__(self) -> dict[str, Any]:
        """Without the open archives: a copy in another process opens its own."""
        return {**self.__dict__, "_archives": {}}

    def refresh(self) -> int:
        """The number of images; this data set does not grow during training."""
        return len(self)

    def read(self, number: int, sketch: int = 0) -> Example:
        """Image ``number`` with its sketch from folder ``sketch`` of ``sketches``.

        Raises DatasetError when one of its parts is missing or no image.
        """
        name = self._names[number]
        mask = self.read_mask(number) if self.masks else None
        lines = self._read_image(self.sketches[sketch], name, "L")
        return Example(name, self._read_image(COLOR, name, "RGB"), lines, mask)

    def read_mask(self, number: int) -> Gray:
        """The mask of image ``number``, (H, W).  Raises as ``read``."""
        return self._read_image(MASK, self._names[number], "L")

    def _read_image(self, part: str, name: str, mode: str) -> np.ndarray:
        try:
            with Image.open(BytesIO(self._read_bytes(part, PurePosixPath(name)))) as image:
                return np.asarray(image.convert(mode))
        except (OSError, KeyError, zipfile.BadZipFile) as error:
            raise DatasetError(f"{part}/{name} in {self.folder} cannot be read: {error}") from error

    def _read_bytes(self, part: str, name: PurePosixPath) -> bytes:
        path = self.folder / part / f"{name.parent}.zip"
        if not path.is_file():
            return _find_file(self.folder / part / name).read_bytes()
        # Opened once: listing the members of a large archive takes long.
        if path not in self._archives:
            opened = zipfile.ZipFile(path)
            self._archives[path] = opened, {PurePosixPath(member).stem: member for member in opened.namelist()}
        archive, members = self._archives[path]
        return archive.read(members[name.stem])


def _stem(name: str) -> str:
    """A name without suffix: the parts of an image may differ in format."""
    return str(PurePosixPath(name).with_suffix(""))


def _find_file(path: Path) -> Path:
    """The file itself, or the one of that name with another suffix; the parts of an image may differ in format."""
    candidates = (path, *(path.with_suffix(suffix) for suffix in IMAGE_SUFFIXES))
    return next((candidate for candidate in candidates if candidate.is_file()), path)


def _listed_images(folder: Path) -> dict[str, dict[str, Any]] | None:
    """The entries of the lists by image; None when there is no list."""
    lists = sorted(folder.glob("image_list*.json"))
    if not lists:
        return None
    entries: dict[str, dict[str, Any]] = {}
    for path in lists:
        entries.update(json.loads(path.read_text(encoding="utf-8")))
    return entries


def _names_in_archives(archives: list[Path], allowed: set[str] | None) -> list[str]:
    names: list[str] = []
    for path in archives:
        with zipfile.ZipFile(path) as archive:
            members = [PurePosixPath(member) for member in archive.namelist() if member.lower().endswith(IMAGE_SUFFIXES)]
        in_archive = [str(PurePosixPath(path.stem) / member.name) for member in members]
        if allowed is not None and not path.stem.startswith(_UNFILTERED_PREFIX):
            in_archive = [name for name in in_archive if _stem(name) in allowed]
        names += in_archive
    return names


def _names_in_folder(folder: Path, allowed: set[str] | None) -> list[str]:
    files = [path for pattern in ("*", "*/*") for path in folder.glob(pattern) if path.suffix.lower() in IMAGE_SUFFIXES]
    names = [path.relative_to(folder).as_posix() for path in files]
    return [name for name in names if allowed is None or _stem(name) in allowed]
