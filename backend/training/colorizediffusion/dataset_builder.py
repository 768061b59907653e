"""A data set in the published layout out of a folder of colored pictures."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from backend.imaging.resize import resize
from backend.imaging.types import Gray, Rgb
from backend.training.colorizediffusion.dataset import COLOR, ENDINGS, MASK, SKETCH
from backend.training.colorizediffusion.dataset_writer import DatasetWriter

EXTRACTED_AT = 512
"""Shorter side at which lines are looked for: in larger pictures thick lines would come out as two."""
LinesOf = Callable[[Rgb], Gray]
"""Lines of a colored picture (H, W, 3): (H, W), 255 = line."""
MaskOf = Callable[[Rgb], Gray]
"""Its figure: (H, W), 255 = figure."""


@dataclass(frozen=True)
class BuildOptions:
    """How a data set is made.  largest: shorter sides above this are made so long; smaller ones than smallest are left out.

    archive: pictures in one zip archive, 0 = loose files.  mask_of: None leaves masks out.
    """

    lines_of: LinesOf
    mask_of: MaskOf | None
    smallest: int = 256
    largest: int = 1024
    archive: int = 0


@dataclass(frozen=True)
class BuildReport:
    """How many pictures there are now, and what was left out and why."""

    count: int
    left_out: tuple[str, ...]


def make(pictures: Path, out: Path, making: BuildOptions, on_picture: Callable[[str], None]) -> BuildReport:
    """Lines, colors and masks of every picture under ``pictures`` into ``out``, listed in ``image_list_NUMBER.json``.

    Pictures that are there already, by the lists, are kept: a call that was ended, in whatever way, goes on.  What is no
    picture is left out and named.  ``on_picture`` hears each name.
    """
    growing, left_out = DatasetWriter(out, making.archive), list[str]()
    for path in _sources(pictures):
        source = path.relative_to(pictures)
        if source.as_posix() in growing.sources:
            continue
        color = _opened(path, making)
        if isinstance(color, str):
            left_out.append(f"{source}: {color}")
            continue
        parts = {COLOR: color, SKETCH: _sketch(color, making.lines_of)}
        if making.mask_of is not None:
            parts[MASK] = making.mask_of(color)
        on_picture(growing.add(source.as_posix(), _stem(source), parts))
    growing.close()
    return BuildReport(len(growing.sources), tuple(left_out))


def _sketch(color: Rgb, lines_of: LinesOf) -> Gray:
    """Its lines, dark on white, (H, W)."""
    height, width = color.shape[:2]
    scale = min(1.0, EXTRACTED_AT / min(height, width))
    return 255 - resize(lines_of(resize(color, round(width * scale), round(height * scale))), width, height)


def _stem(path: Path) -> str:
    """A name for a picture in folders; those of other formats keep their ending, as two may differ in nothing else."""
    return "_".join(path.with_suffix("").parts) + ("" if path.suffix == ".png" else f"_{path.suffix[1:]}")


def _sources(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.suffix.lower() in ENDINGS and path.is_file())


def _opened(path: Path, making: BuildOptions) -> Rgb | str:
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
