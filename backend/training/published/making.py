"""A data set in the published layout out of a folder of coloured pictures."""

import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from backend.imaging.resampling import resize
from backend.imaging.types import Gray, Rgb
from backend.training.published.data import COLOUR, ENDINGS, MASK, SKETCH

LIST = "image_list.json"
EXTRACTED_AT = 512
"""Shorter side at which lines are looked for: in larger pictures thick lines would come out as two."""
LinesOf = Callable[[Rgb], Gray]
"""Lines of a coloured picture (H, W, 3): (H, W), 255 = line."""
MaskOf = Callable[[Rgb], Gray]
"""Its figure: (H, W), 255 = figure."""


@dataclass(frozen=True)
class Making:
    """How a data set is made.  largest: shorter sides above this are made so long; smaller ones than smallest are left out.

    archive: pictures in one zip archive, 0 = loose files.  mask_of: None leaves masks out.
    """

    lines_of: LinesOf
    mask_of: MaskOf | None
    smallest: int = 256
    largest: int = 1024
    archive: int = 0


@dataclass(frozen=True)
class Made:
    """How many pictures there are now, and what was left out and why."""

    count: int
    left_out: tuple[str, ...]


def make(pictures: Path, out: Path, making: Making, on_picture: Callable[[str], None]) -> Made:
    """Lines, colours and masks of every picture under ``pictures`` into ``out``, and ``image_list.json``.

    Pictures that are there already, by the list, are kept: an interrupted call goes on.  What is no picture is left out and
    named.  ``on_picture`` hears each name.
    """
    listing = out / LIST
    known: dict[str, dict[str, object]] = json.loads(listing.read_text(encoding="utf-8")) if listing.exists() else {}
    stems = {Path(name).stem for name in known}
    left_out: list[str] = []
    writer = _Writer(out, making.archive)
    try:
        for path in _sources(pictures):
            stem = _stem(path.relative_to(pictures))
            if stem in stems:
                continue
            colour = _opened(path, making)
            if isinstance(colour, str):
                left_out.append(f"{path.relative_to(pictures)}: {colour}")
                continue
            parts = {COLOUR: colour, SKETCH: _sketch(colour, making.lines_of)}
            if making.mask_of is not None:
                parts[MASK] = making.mask_of(colour)
            name = writer.write(len(known), stem, parts)
            known[name] = {"resolution": [colour.shape[1], colour.shape[0]], "exist_sketch": True}
            on_picture(name)
    finally:
        if known:
            listing.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    return Made(len(known), tuple(left_out))


def _sketch(colour: Rgb, lines_of: LinesOf) -> Gray:
    """Its lines, dark on white, (H, W)."""
    height, width = colour.shape[:2]
    scale = min(1.0, EXTRACTED_AT / min(height, width))
    return 255 - resize(lines_of(resize(colour, round(width * scale), round(height * scale))), width, height)


def _stem(path: Path) -> str:
    """One name for a picture in folders; those of other formats keep their ending, as two may differ in nothing else."""
    return "_".join(path.with_suffix("").parts) + ("" if path.suffix == ".png" else f"_{path.suffix[1:]}")


def _sources(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.suffix.lower() in ENDINGS and path.is_file())


def _opened(path: Path, making: Making) -> Rgb | str:
    """The picture on white, made smaller where it is very large; or why it cannot be used."""
    try:
        with Image.open(path) as opened:
            picture = opened.convert("RGBA")
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        return f"cannot be read ({error})"
    shorter = min(picture.size)
    if shorter < making.smallest:
        return f"its shorter side has {shorter} pixels, at least {making.smallest} are needed"
    flat = Image.new("RGBA", picture.size, (255, 255, 255, 255))
    flat.alpha_composite(picture)
    if shorter > making.largest:
        scale = making.largest / shorter
        flat = flat.resize((round(flat.width * scale), round(flat.height * scale)), Image.Resampling.LANCZOS)
    return np.asarray(flat.convert("RGB"))


@dataclass(frozen=True)
class _Writer:
    folder: Path
    archive: int

    def write(self, number: int, stem: str, parts: dict[str, np.ndarray]) -> str:
        """The picture's name in the data set."""
        group = f"{number // self.archive:04d}" if self.archive else "all"
        for part, picture in parts.items():
            (self.folder / part).mkdir(parents=True, exist_ok=True)
            if not self.archive:
                (self.folder / part / group).mkdir(exist_ok=True)
                (self.folder / part / group / f"{stem}.png").write_bytes(_png(picture))
                continue
            with zipfile.ZipFile(self.folder / part / f"{group}.zip", "a") as archive:
                if f"{group}/{stem}.png" not in archive.namelist():  # when the last call was interrupted here
                    archive.writestr(f"{group}/{stem}.png", _png(picture))
        return f"{group}/{stem}.png"


def _png(picture: np.ndarray) -> bytes:
    packed = BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(packed, "PNG")
    return packed.getvalue()
