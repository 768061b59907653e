"""Writes drawn faces, in color and as lines, in the layout of AnimeDiffusion's benchmark."""

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
from shared.atomic_file import replace_atomically

FACE_CROP = {"face": 1.0}
"""Crops of ``draw_view``: always the face."""
PARTS = ("reference", "condition")
"""The benchmark's folders: colored images, and their lines."""
PortraitDrawer = Callable[[np.random.Generator, int], View]
"""Draws the head of a new character from a generator and a side in pixels."""


def portrait_drawer_2d(styles: Sequence[str]) -> PortraitDrawer:
    """Draws heads with this project's 2D code, each in one of the styles."""

    def draw(rng: np.random.Generator, size: int) -> View:
        return draw_view(rng, random_identity(rng, styles[int(rng.integers(len(styles)))]), size, FACE_CROP)

    return draw


def face_styles(held_out: bool) -> tuple[str, ...]:
    """The styles of drawing of training faces, or the one style that is held out."""
    return (HELD_OUT_STYLE,) if held_out else TRAINING_STYLES


def load_heads(models3d: Path, size: int, held_out: bool) -> Heads3D:
    """The rigged characters of a folder for training faces, or the held-out ones.

    Raises ValueError when there are none, or when one of them has no head.
    """
    files = model_files(models3d, held_out)
    if not files:
        raise ValueError(f"no rigged character to draw in {models3d}")
    return Heads3D(files, size)


def portrait_drawers(models3d: Path | None, size: int, held_out: bool) -> list[PortraitDrawer]:
    """What draws faces, with equal shares: this project's 2D code and, where a folder is given, rigged characters.

    The rigged characters are few, but lit and turned in space; 2D faces are flat, but no two are the same.
    Raises ValueError: see ``load_heads``.
    """
    drawer_2d = portrait_drawer_2d(face_styles(held_out))
    return [drawer_2d, load_heads(models3d, size, held_out).draw] if models3d else [drawer_2d]


def draw_face(rng: np.random.Generator, size: int, drawers: Sequence[PortraitDrawer]) -> tuple[Rgb, Gray]:
    """A new face by one of the drawers, before a background: its colors (S, S, 3) and its lines (S, S), dark on white."""
    draw = drawers[int(rng.integers(len(drawers)))] if len(drawers) > 1 else drawers[0]
    color = composite_on_scene(draw(rng, size), Backgrounds().draw(rng, size).target)
    return color, 255 - xdog_binary(color, float(rng.choice(FACE_SIGMAS)))


def write_faces(out: Path, count: int, size: int, seed: int, models3d: Path | None = None, held_out: bool = False) -> int:
    """Write faces 0 to ``count`` - 1 of a seed as reference/NNNNN.png and condition/NNNNN.png; faces already there stay.

    Returns the number of new faces.  Held-out faces have seeds of their own.  Raises ValueError: see ``portrait_drawers``.
    """
    drawers, drawn = portrait_drawers(models3d, size, held_out), 0
    for part in PARTS:
        (out / part).mkdir(parents=True, exist_ok=True)
    for number in range(count):
        paths = [out / part / f"{number:05d}.png" for part in PARTS]
        if not all(path.exists() for path in paths):
            # A generator for each face: a call that continues draws the same faces as one that was not stopped.
            rng = np.random.default_rng([seed, number, 1] if held_out else [seed, number])
            for path, image in zip(paths, draw_face(rng, size, drawers), strict=True):
                with replace_atomically(path) as part_file:
                    Image.fromarray(image).save(part_file, "PNG")
            drawn += 1
    return drawn
