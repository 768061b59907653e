"""Source of painted comic panels: two crops of one panel, or of two panels of one page."""

import hashlib
import re
from pathlib import Path

import cv2
import numpy as np

from backend.imaging.types import Rgb
from backend.training.synthetic.holdout import held_out_data
from backend.training.synthetic.render.pens import extract_lines_randomly
from backend.training.synthetic.types import DrawingSet

HELD_OUT_EPISODES = ("E19", "E20", "E21")
"""Episodes that only validation uses."""
PANEL_NAME = re.compile(r"(E\d\d)P\d\d_\d\d\.(webp|png)")
"""Episode, page and panel; the first group is the episode."""
SHORT_SIDE = 420
"""Shorter side of a panel in memory, pixels."""


def panel_files(folder: Path, held_out: bool) -> list[Path]:
    """Panels with names like E01P02_03.webp, sorted: the ones held out of training, or all others.

    A copy of a held-out panel under another name is in neither list, nor is any image of the development set.
    """
    development_set = held_out_data().files
    files = sorted(f for f in folder.iterdir() if PANEL_NAME.fullmatch(f.name))
    files = [f for f in files if hashlib.sha256(f.read_bytes()).hexdigest() not in development_set]
    held_out_files = [f for f in files if f.name[:3] in HELD_OUT_EPISODES]
    if held_out:
        return held_out_files
    excluded = {hashlib.sha256(f.read_bytes()).hexdigest() for f in held_out_files}
    return [
        f for f in files if f.name[:3] not in HELD_OUT_EPISODES and hashlib.sha256(f.read_bytes()).hexdigest() not in excluded
    ]


def random_crop(
    rng: np.random.Generator, rgb: Rgb, size: int, least: float, turn: float, center: tuple[float, float] | None = None
) -> tuple[Rgb, tuple[float, float]]:
    """A square crop (size, size, 3) of at least `least` of the shorter side, rotated by up to `turn` degrees, sheared, and
    sometimes mirrored.

    Returns it with its center as fractions of the panel.  With this `center`, a second crop lies near the first.
    """
    h, w = rgb.shape[:2]
    side = min(h, w) * rng.uniform(least, 1)
    fx = rng.uniform(0, 1) if center is None else center[0] + rng.normal(0, 0.15)
    fy = rng.uniform(0, 1) if center is None else center[1] + rng.normal(0, 0.15)
    cx = float(np.clip(fx * w, side / 2, w - side / 2))
    cy = float(np.clip(fy * h, side / 2, h - side / 2))
    matrix = cv2.getRotationMatrix2D((cx, cy), rng.uniform(-turn, turn), size / side)
    matrix[:, 2] += [size / 2 - cx, size / 2 - cy]
    shear = np.array([[1, rng.normal(0, 0.03)], [rng.normal(0, 0.03), 1]])
    middle = np.array([size / 2, size / 2])
    matrix = np.column_stack([shear @ matrix[:, :2], shear @ (matrix[:, 2] - middle) + middle])
    out = cv2.warpAffine(
        rgb, matrix, (size, size), flags=cv2.INTER_AREA if size < side else cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
    )
    if rng.random() < 0.35:
        out = out[:, ::-1]
    return np.ascontiguousarray(out, np.uint8), (cx / w, cy / h)


class PanelLibrary:
    """Panels in memory, resized to `short_side` pixels on the shorter side, or enlarged by 1.3 at most.

    Panels under 200 pixels are left out.  Raises ValueError for a file that is no image.
    """

    def __init__(self, folder: Path, held_out: bool = False, short_side: int = SHORT_SIDE) -> None:
        self.pages: dict[str, list[str]] = {}
        self.images: dict[str, Rgb] = {}
        for file in panel_files(folder, held_out):
            bgr = cv2.imread(str(file), cv2.IMREAD_COLOR)
            if bgr is None:
                raise ValueError(f"{file.name} is no image")
            if min(bgr.shape[:2]) < 200:
                continue
            scale = min(1.3, short_side / min(bgr.shape[:2]))
            bgr = cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
            self.images[file.stem] = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
            self.pages.setdefault(file.stem[:6], []).append(file.stem)
        self.names = sorted(self.images)

    def random_panel(self, rng: np.random.Generator) -> Rgb:
        """One of the panels, (h, w, 3)."""
        return self.images[self.names[int(rng.integers(len(self.names)))]]


class Panels:
    """Source of painted panels; their foreground is unknown, so a mask is all foreground or all background."""

    name = "panel"

    def __init__(self, library: PanelLibrary) -> None:
        self.library = library

    def draw(self, rng: np.random.Generator, size: int) -> DrawingSet:
        """A crop of a panel; the reference is another crop of it, or of another panel of its page."""
        library = self.library
        name = library.names[int(rng.integers(len(library.names)))]
        color, center = random_crop(rng, library.images[name], size, 0.5, 3)
        others = [n for n in library.pages[name[:6]] if n != name]
        if rng.random() < 0.65 or not others:
            ref, _ = random_crop(rng, library.images[name], size, 0.5, 10, center)
            kind = "same"
        else:
            ref, _ = random_crop(rng, library.images[others[int(rng.integers(len(others)))]], size, 0.7, 3)
            kind = "page"
        mask = np.full((size, size), 255 if rng.random() < 0.5 else 0, np.uint8)
        line = extract_lines_randomly(rng, color)
        return DrawingSet(line, color, mask, ref, mask.copy(), f"{self.name}/{kind}-{name}")
