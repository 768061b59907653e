"""Drawn faces as color pictures with their lines, in the layout of AnimeDiffusion's benchmark."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from backend.imaging.line_extraction import FACE_SIGMAS, xdog_binary
from backend.imaging.types import Gray, Rgb
from backend.training.synthetic.bust.identity import HELD_OUT_STYLE, random_identity
from backend.training.synthetic.bust.source import TRAINING_STYLES, draw_view
from backend.training.synthetic.compose import composite_on_scene
from backend.training.synthetic.rigged3d.heads import Heads3D
from backend.training.synthetic.rigged3d.rigs import model_files
from backend.training.synthetic.scenes.backgrounds import Backgrounds
from backend.training.synthetic.types import View

FACE_CROP = {"face": 1.0}
PARTS = ("reference", "condition")
PortraitDrawer = Callable[[np.random.Generator, int], View]
"""Draws the head of a new character, so many pixels wide and high."""


def portrait_drawer_2d(styles: Sequence[str]) -> PortraitDrawer:
    """Heads by this project's own 2D code, in any of the styles."""

    def draw(rng: np.random.Generator, size: int) -> View:
        return draw_view(rng, random_identity(rng, styles[int(rng.integers(len(styles)))]), size, FACE_CROP)

    return draw


def face_styles(held_out: bool) -> tuple[str, ...]:
    """Of drawing that faces are learned in, or the one they are never learned in."""
    return (HELD_OUT_STYLE,) if held_out else TRAINING_STYLES


def load_heads(models3d: Path, size: int, held_out: bool) -> Heads3D:
    """The rigged characters of a folder that faces are learned from, or those that are kept out.

    Raises ValueError when there are none, or one of them has no head.
    """
    files = model_files(models3d, held_out)
    if not files:
        raise ValueError(f"no rigged character to draw in {models3d}")
    return Heads3D(files, size)


def portrait_drawers(models3d: Path | None, size: int, held_out: bool) -> list[PortraitDrawer]:
    """Who draws faces, each as many: this project's 2D code and, where a folder is given, rigged characters.

    Half and half: the characters are few, but lit and turned in space; no two drawn faces are the same.
    """
    drawn = portrait_drawer_2d(face_styles(held_out))
    return [drawn, load_heads(models3d, size, held_out).draw] if models3d else [drawn]


def draw_face(rng: np.random.Generator, size: int, by: Sequence[PortraitDrawer]) -> tuple[Rgb, Gray]:
    """Colors (size, size, 3) of a new face by any of these before some ground, and lines extracted from it, dark on white."""
    draw = by[int(rng.integers(len(by)))] if len(by) > 1 else by[0]
    color = composite_on_scene(draw(rng, size), Backgrounds().draw(rng, size).target)
    return color, 255 - xdog_binary(color, float(rng.choice(FACE_SIGMAS)))


def write_faces(out: Path, count: int, size: int, seed: int, models3d: Path | None = None, held_out: bool = False) -> int:
    """Faces 0 to ``count`` - 1 of a seed as reference/NNNNN.png and condition/NNNNN.png; how many were not there yet.

    Faces that are held out have seeds of their own.  Raises ValueError: see ``portraits``.
    """
    by, drawn = portrait_drawers(models3d, size, held_out), 0
    for part in PARTS:
        (out / part).mkdir(parents=True, exist_ok=True)
    for number in range(count):
        paths = [out / part / f"{number:05d}.png" for part in PARTS]
        if not all(path.exists() for path in paths):
            rng = np.random.default_rng([seed, number, 1] if held_out else [seed, number])
            for path, picture in zip(paths, draw_face(rng, size, by), strict=True):
                whole = path.with_suffix(".part")
                Image.fromarray(picture).save(whole, "PNG")
                whole.replace(path)
            drawn += 1
    return drawn
