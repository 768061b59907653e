"""Source of drawn people: one character in two poses, drawn by this code alone."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from backend.training.synthetic.bust.character import draw_character
from backend.training.synthetic.bust.identity import (
    HELD_OUT_STYLE,
    STYLES,
    Identity,
    choose_by_weight,
    random_identity,
    random_pose,
)
from backend.training.synthetic.compose import compose
from backend.training.synthetic.render.canvas import Sheet, rasterize
from backend.training.synthetic.render.shading import vary_light
from backend.training.synthetic.scenes.backgrounds import Backgrounds
from backend.training.synthetic.types import DrawingSet, View

TRAINING_STYLES = tuple(style for style in STYLES if style != HELD_OUT_STYLE)
"""All styles but the held-out one."""
CROPS = {"face": 0.1, "bust": 0.27, "half": 0.25, "knees": 0.18, "full": 0.2}
"""Shares of how much of a character a drawing shows."""


def random_camera(rng: np.random.Generator, sheet: Sheet, crop: str, size: int, mirror: bool) -> NDArray[np.float64]:
    """A 2x3 matrix from drawing units to pixels for a crop: a little off center, rotated and scaled at random."""
    lo, hi = sheet.bounds()
    if crop == "full":
        top, bottom = lo[1], hi[1]
    else:
        top = max(lo[1], -2.2) - 0.1
        bottom = {"face": 1.5, "bust": 3.2, "half": 5.0, "knees": 7.5}[crop] * rng.uniform(0.88, 1.15)
        bottom = min(bottom, hi[1])
    height = bottom - top
    wide = min(hi[0] - lo[0], height * 1.3) if crop in ("full", "knees") else 0.0
    scale = size / max(height * rng.uniform(1.02, 1.35), wide * 1.02)
    turn = rng.normal(0, 0.05)
    center = np.array([(lo[0] + hi[0]) / 2 if crop == "full" else 0.0, (top + bottom) / 2])
    a = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    if mirror:
        a = a @ np.diag([-1.0, 1.0])
    free = max(0.0, size - height * scale) / 2
    # A cropped character touches the lower edge, as a sprite or a bust does.
    shift_y = rng.uniform(-free, free) if crop == "full" else free
    target = np.array([size / 2 + rng.uniform(-0.14, 0.14) * size, size / 2 + shift_y])
    return np.column_stack([a, target - a @ center])


def draw_view(rng: np.random.Generator, who: Identity, size: int, crops: Mapping[str, float] = CROPS) -> View:
    """One drawing of the character in a random pose.  crops: see CROPS."""
    pose = random_pose(rng)
    sheet = draw_character(who, pose)
    crop = choose_by_weight(rng, **crops)
    return rasterize(sheet, who.palette, random_camera(rng, sheet, crop, size, pose.mirror), size, vary_light(rng, who.shading))


class Characters2D:
    """Source of drawn people in some of the STYLES."""

    name = "drawn"

    def __init__(self, backgrounds: Backgrounds, styles: tuple[str, ...] = TRAINING_STYLES) -> None:
        self.backgrounds = backgrounds
        self.styles = styles

    def draw(self, rng: np.random.Generator, size: int) -> DrawingSet:
        """Two drawings of a new character over a scene."""
        style = self.styles[int(rng.integers(len(self.styles)))]
        who = random_identity(rng, style)
        target, reference = draw_view(rng, who, size), draw_view(rng, who, size)
        return compose(rng, target, reference, self.backgrounds, size, f"{self.name}/{style}")
