"""Make a data set in the published layout from a folder of colored images."""

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
"""Shorter side at which lines are extracted: in larger images thick lines would come out as two."""
LineExtractor = Callable[[Rgb], Gray]
"""Lines of a colored image (H, W, 3): (H, W), 255 = line."""
ForegroundSegmenter = Callable[[Rgb], Gray]
"""Foreground of a colored image (H, W, 3): (H, W), 255 = foreground."""


@dataclass(frozen=True)
class BuildOptions:
    """How a data set is made."""

    extract_lines: LineExtractor
    """From an image (h, w, 3) to lines (h, w)."""
    segment_foreground: ForegroundSegmenter | None
    """None: the data set has no masks."""
    min_side: int = 256
    """Images whose shorter side is below this are left out."""
    max_side: int = 1024
    """Images whose shorter side is above this are shrunk to it."""
    archive_size: int = 0
    """Images in a zip archive; 0: loose files."""


@dataclass(frozen=True)
class BuildReport:
    """What came of it."""

    count: int
    """Images in the data set now."""
    left_out: tuple[str, ...]
    """Files that were left out, each with the reason."""


def build_dataset(images: Path, out: Path, options: BuildOptions, on_image: Callable[[str], None]) -> BuildReport:
    """Write lines, colors and masks of every image under ``images`` into ``out``, listed in ``image_list_NUMBER.json``.

    Images that the lists name already are kept: a call that was interrupted, in whatever way, can be repeated and continues.
    Files that are no images are left out and reported.  ``on_image`` is called with the name of each new image.
    """
    writer, left_out = DatasetWriter(out, options.archive_size), list[str]()
    for path in _image_paths(images):
        source = path.relative_to(images)
        if source.as_posix() in writer.sources:
            continue
        color = _load_image(path, options)
        if isinstance(color, str):
            left_out.append(f"{source}: {color}")
            continue
        parts = {COLOR: color, SKETCH: _extract_sketch(color, options.extract_lines)}
        if options.segment_foreground is not None:
            parts[MASK] = options.segment_foreground(color)
        on_image(writer.add(source.as_posix(), _flat_name(source), parts))
    writer.close()
    return BuildReport(len(writer.sources), tuple(left_out))


def _extract_sketch(color: Rgb, extract_lines: LineExtractor) -> Gray:
    """The lines of an image, dark on white, (H, W)."""
    height, width = color.shape[:2]
    scale = min(1.0, EXTRACTION_SIDE / min(height, width))
    return 255 - resize(extract_lines(resize(color, round(width * scale), round(height * scale))), width, height)


def _flat_name(path: Path) -> str:
    """One name for a path of folders.  Other formats than PNG keep their suffix, as two files may differ in nothing else."""
    return "_".join(path.with_suffix("").parts) + ("" if path.suffix == ".png" else f"_{path.suffix[1:]}")


def _image_paths(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file())


def _load_image(path: Path, options: BuildOptions) -> Rgb | str:
    """The image on white, shrunk where it is very large; or why it cannot be used."""
    try:
        with Image.open(path) as opened:
            image = opened.convert("RGBA")
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        return f"cannot be read ({error})"
    shorter = min(image.size)
    if shorter < options.min_side:
        return f"its shorter side has {shorter} pixels, at least {options.min_side} are needed"
    on_white = Image.new("RGBA", image.size, (255, 255, 255, 255))
    on_white.alpha_composite(image)
    if shorter > options.max_side:
        scale = options.max_side / shorter
        size = (round(on_white.width * scale), round(on_white.height * scale))
        on_white = on_white.resize(size, Image.Resampling.LANCZOS)
    return np.asarray(on_white.convert("RGB"))
