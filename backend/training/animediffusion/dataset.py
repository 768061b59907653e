"""Face pairs in the benchmark's layout: ``reference/`` and ``condition/`` with the same names (spec animediffusion 4)."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from backend.imaging.line_extraction import FACE_SIGMAS, xdog_binary
from backend.imaging.types import Gray, Rgb
from backend.training.colorizediffusion.dataset import IMAGE_SUFFIXES, DatasetError
from shared.atomic_file import replace_atomically

COLOR, LINES = "reference", "condition"
"""Folders of a data set."""


@dataclass(frozen=True)
class Face:
    """One face at its own size."""

    name: str
    """Of its file, without folder."""
    color: Rgb
    """(H, W, 3)."""
    lines: Gray
    """(H, W), dark on white."""


@dataclass
class FacePairs:
    """The pairs of a folder, in the order of their names.  Raises DatasetError when there are none or names do not match."""

    folder: Path
    """Holds the folders ``COLOR`` and ``LINES``."""
    names: list[str] = field(init=False)
    """Names of the files, sorted."""

    def __post_init__(self) -> None:
        colors, lines = (_image_names(self.folder / part) for part in (COLOR, LINES))
        missing = [f"{LINES}/{name}" for name in colors if name not in set(lines)]
        missing += [f"{COLOR}/{name}" for name in lines if name not in set(colors)]
        if missing:
            raise DatasetError(
                f"{self.folder}: {len(missing)} images lack their pair; the first that is not there: {missing[0]}"
            )
        if not colors:
            raise DatasetError(f"{self.folder} holds no images in {COLOR}/ and {LINES}/")
        self.names = colors

    def __len__(self) -> int:
        return len(self.names)

    def refresh(self) -> int:
        """The number of pairs; this data set does not grow during training."""
        return len(self)

    def read(self, number: int) -> Face:
        """Pair ``number``.  Raises DatasetError when one of its files is no image."""
        name = self.names[number]
        return Face(name, _read_image(self.folder / COLOR / name, "RGB"), _read_image(self.folder / LINES / name, "L"))


def draw_lines(folder: Path, seed: int = 0) -> int:
    """Draw the lines in ``condition/`` of every image in ``reference/`` that has none; the number of drawings.

    XDoG with one of the published sigmas, chosen by seed and name.  The files are PNG whatever their names end with, since JPEG
    would blur lines.  May be interrupted at any time.  Raises DatasetError when a file is no image.
    """
    (folder / LINES).mkdir(exist_ok=True)
    new = [name for name in _image_names(folder / COLOR) if not (folder / LINES / name).exists()]
    for name in new:
        rng = np.random.default_rng([seed, *name.encode()])
        lines = 255 - xdog_binary(_read_image(folder / COLOR / name, "RGB"), float(rng.choice(FACE_SIGMAS)))
        with replace_atomically(folder / LINES / name) as part:
            Image.fromarray(lines).save(part, "PNG")
    return len(new)


def center_square(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """(H, W) or (H, W, 3), resized to a shorter side of ``side`` (bilinear) and cropped to its central square.

    Sizes are truncated and margins rounded as torchvision's Resize and CenterCrop do.
    """
    height, width = image.shape[:2]
    shorter = min(height, width)
    new_width, new_height = int(side * width / shorter), int(side * height / shorter)
    left, top = round((new_width - side) / 2), round((new_height - side) / 2)
    resized = Image.fromarray(np.ascontiguousarray(image)).resize((new_width, new_height), Image.Resampling.BILINEAR)
    return np.asarray(resized.crop((left, top, left + side, top + side)))


def _image_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*") if path.suffix.lower() in IMAGE_SUFFIXES)


def _read_image(path: Path, mode: str) -> NDArray[np.uint8]:
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert(mode))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:  # all that Pillow's readers raise
        raise DatasetError(f"{path.parent.name}/{path.name} cannot be read: {error}") from error
