"""Face pairs in the benchmark's layout: ``reference/`` and ``condition/`` with the same names (spec animediffusion 4)."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from backend.imaging.line_extraction import FACE_SIGMAS, xdog_binary
from backend.imaging.types import Gray, Rgb
from backend.training.colorizediffusion.dataset import ENDINGS, DataError

COLOR, LINES = "reference", "condition"


@dataclass(frozen=True)
class Face:
    """One picture at its own size: colors (H, W, 3) and lines dark on white (H, W)."""

    name: str
    color: Rgb
    lines: Gray


@dataclass
class FacePairs:
    """The pairs of a folder, in the order of their names.  Raises DataError when there are none, or names do not match."""

    folder: Path
    names: list[str] = field(init=False)

    def __post_init__(self) -> None:
        colors, lines = (_names(self.folder / part) for part in (COLOR, LINES))
        missing = [f"{LINES}/{name}" for name in colors if name not in set(lines)]
        missing += [f"{COLOR}/{name}" for name in lines if name not in set(colors)]
        if missing:
            raise DataError(
                f"{self.folder}: {len(missing)} pictures lack their pair; the first that is not there: {missing[0]}"
            )
        if not colors:
            raise DataError(f"{self.folder} holds no pictures in {COLOR}/ and {LINES}/")
        self.names = colors

    def __len__(self) -> int:
        return len(self.names)

    def refresh(self) -> int:
        """How many pairs there are; a data set does not grow while it is learned."""
        return len(self)

    def read(self, number: int) -> Face:
        """Pair ``number``.  Raises DataError when one of it is no picture."""
        name = self.names[number]
        return Face(name, _picture(self.folder / COLOR / name, "RGB"), _picture(self.folder / LINES / name, "L"))


def draw_lines(folder: Path, seed: int = 0) -> int:
    """Give every picture in ``reference/`` that has none its lines in ``condition/``; how many were drawn.

    XDoG with one of the published sigmas, by seed and name.  Written as PNG whatever the name ends with, since JPEG would blur
    lines.  It may be ended at any time.  Raises DataError for what is no picture.
    """
    (folder / LINES).mkdir(exist_ok=True)
    new = [name for name in _names(folder / COLOR) if not (folder / LINES / name).exists()]
    for name in new:
        rng = np.random.default_rng([seed, *name.encode()])
        lines = 255 - xdog_binary(_picture(folder / COLOR / name, "RGB"), float(rng.choice(FACE_SIGMAS)))
        part = folder / LINES / (name + ".part")
        Image.fromarray(lines).save(part, "PNG")
        part.replace(folder / LINES / name)
    return len(new)


def squared(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """(H, W) or (H, W, 3) with its shorter side made ``side`` long (bilinear), then the middle of it.

    Sizes are cut and margins rounded as torchvision's Resize and CenterCrop do.
    """
    height, width = picture.shape[:2]
    shorter = min(height, width)
    wide, high = int(side * width / shorter), int(side * height / shorter)
    left, top = round((wide - side) / 2), round((high - side) / 2)
    sized = Image.fromarray(np.ascontiguousarray(picture)).resize((wide, high), Image.Resampling.BILINEAR)
    return np.asarray(sized.crop((left, top, left + side, top + side)))


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*") if path.suffix.lower() in ENDINGS)


def _picture(path: Path, mode: str) -> NDArray[np.uint8]:
    try:
        with Image.open(path) as picture:
            return np.asarray(picture.convert(mode))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:  # as Pillow's readers say it
        raise DataError(f"{path.parent.name}/{path.name} cannot be read: {error}") from error
