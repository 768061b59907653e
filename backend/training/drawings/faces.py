"""Drawn faces as colour pictures with their lines, in the layout of AnimeDiffusion's benchmark."""

from pathlib import Path

import numpy as np
from PIL import Image

from backend.imaging.extraction import FACE_SIGMAS, face_lines
from backend.imaging.types import Gray, Rgb
from backend.training.drawings.backgrounds import Backgrounds
from backend.training.drawings.characters2d import TRAINING_STYLES, draw_view
from backend.training.drawings.compose import over
from backend.training.drawings.identity2d import random_identity

FACE = {"face": 1.0}
PARTS = ("reference", "condition")


def draw_face(rng: np.random.Generator, size: int) -> tuple[Rgb, Gray]:
    """Colours (size, size, 3) of a new character's face before some ground, and lines dark on white, extracted from them."""
    who = random_identity(rng, TRAINING_STYLES[int(rng.integers(len(TRAINING_STYLES)))])
    colour = over(draw_view(rng, who, size, FACE), Backgrounds().draw(rng, size).target)
    return colour, 255 - face_lines(colour, float(rng.choice(FACE_SIGMAS)))


def write_faces(out: Path, count: int, size: int, seed: int) -> int:
    """Faces 0 to ``count`` - 1 of a seed as reference/NNNNN.png and condition/NNNNN.png; how many were not there yet."""
    drawn = 0
    for part in PARTS:
        (out / part).mkdir(parents=True, exist_ok=True)
    for number in range(count):
        paths = [out / part / f"{number:05d}.png" for part in PARTS]
        if not all(path.exists() for path in paths):
            for path, picture in zip(paths, draw_face(np.random.default_rng([seed, number]), size), strict=True):
                whole = path.with_suffix(".part")
                Image.fromarray(picture).save(whole, "PNG")
                whole.replace(path)
            drawn += 1
    return drawn
