"""A data set in the published layout out of a folder of colored pictures."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from backend.imaging.resize import resize
from backend.imaging.types import Gray, Rgb
from backend.training.colorizediffusion.dataset import COLOR, IMAGE_SUFFIXES, MASK, SKETCH
from backend.training.colorizediffusion.dataset_writer import DatasetWriter

EXTRACTION_SIDE = 512
"""Shorter side at which lines are looked for: in larger pictures thick lines would come out as two."""
LineExtractor = Callable[[Rgb], Gray]
"""Lines of a colored picture (H, W, 3): (H, W), 255 = line."""
ForegroundSegmenter = Callable[[Rgb], Gray]
"""Its figure: (H, W), 255 = figure."""


@dataclass(frozen=True)
class BuildOptions:
    """How a data set is made.  largest: shorter sides above this are made so long; smaller ones than smallest are left out.

    archive: pictures in one zip archive, 0 = loose files.  mask_of: None leaves masks out.
    """

    extract_lines: LineExtractor
    segment_foreground: ForegroundSegmenter | None
    min_side: int = 256
    max_side: int = 1024
    archive_size: int = 0


@dataclass(frozen=True)
class BuildReport:
    """How many pictures there are now, and what was left out and why."""

    count: int
    left_out: tuple[str, ...]


def build_dataset(pictures: Path, out: Path, making: BuildOptions, on_picture: Callable[[str], None]) -> BuildReport:
    """Lines, colors and masks of every picture under ``pictures`` into ``out``, listed in ``image_list_NUMBER.json``.

    Pictures that are there already, by the lists, are kept: a call that was ended, in whatever way, goes on.  What is no
    picture is left out and named.  ``on_picture`` hears each name.
    """
    growing, left_out = DatasetWriter(out, making.archive_size), list[str]()
    for path in _image_paths(pictures):
        source = path.relative_to(pictures)
        if source.as_posix() in growing.sources:
            continue
        color = _load_image(path, making)
        if isinstance(color, str):
            left_out.append(f"{source}: {color}")
            continue
        parts = {COLOR: color, SKETCH: _extract_sketch(color, making.extract_lines)}
        if making.segment_foreground is not None:
            parts[MASK] = making.segment_foreground(color)
        on_picture(growing.add(source.as_posix(), _flat_name(source), parts))
    growing.close()
    return BuildReport(len(growing.sources), tuple(left_out))


def _extract_sketch(color: Rgb, lines_of: LineExtractor) -> Gray:
    """Its lines, dark on white, (H, W)."""
    height, width = color.shape[:2]
    scale = min(1.0, EXTRACTION_SIDE / min(height, width))
    return 255 - resize(lines_of(resize(color, round(width * scale), round(height * scale))), width, height)


def _flat_name(path: Path) -> str:
    """A name for a picture in folders; those of other formats keep their ending, as two may differ in nothing else."""
    return "_".join(path.with_suffix("").parts) + ("" if path.suffix == ".png" else f"_{path.suffix[1:]}")


def _image_paths(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file())


def _load_image(path: Path, making: BuildOptions) -> Rgb | str:
    """The picture on white, made smaller where it is very large; or why it cannot be used."""
    try:
        with Image.open(path) as opened:
            picture = opened.convert("RGBA")
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        return f"cannot be read ({error})"
    shorter = min(picture.size)
    if shorter < making.min_side:
        return f"its shorter side has {shorter} pixels, at least {making.min_side} are needed"
    flat = Image.new("RGBA", picture.size, (255, 255, 255, 255))
    flat.alpha_composite(picture)
    if shorter > making.max_side:
        scale = making.max_side / shorter
        flat = flat.resize((round(flat.width * scale), round(flat.height * scale)), Image.Resampling.LANCZOS)
    return np.asarray(flat.convert("RGB"))
