"""Source of tall drawn people: sprites from the knees, the waist or the chest up, mostly on white paper."""

import numpy as np
from numpy.typing import NDArray

from backend.training.synthetic.bust.character import tilt_head
from backend.training.synthetic.bust.hair import draw_front_hair
from backend.training.synthetic.bust.heads import draw_face
from backend.training.synthetic.bust.headwear import draw_headwear
from backend.training.synthetic.bust.identity import Identity, choose_by_weight
from backend.training.synthetic.compose import LineMix, compose
from backend.training.synthetic.render.canvas import Sheet, rasterize
from backend.training.synthetic.render.shading import Shading, vary_light
from backend.training.synthetic.scenes.backgrounds import Backgrounds
from backend.training.synthetic.tall.arms import BEHIND, draw_book, draw_tall_arm
from backend.training.synthetic.tall.body import draw_lower_body, draw_neck, tall_body_shape
from backend.training.synthetic.tall.clothes import draw_upper_body
from backend.training.synthetic.tall.hair import draw_cap_strands, draw_mane, draw_shoulder_locks
from backend.training.synthetic.tall.identity import (
    TallPose,
    change_clothes,
    random_tall_identity,
    random_tall_pose,
    vary_slightly,
)
from backend.training.synthetic.types import DrawingSet, View

CROPS = {"bust": 3.0, "waist": 4.9, "thigh": 7.2, "knee": 8.8}
"""Lower edge of each crop, in half head widths below the center of the head."""
SAME_POSE_SHARE = 0.35
"""Share of references in nearly the same pose as the drawing."""
CHANGED_CLOTHES_SHARE = 0.1
"""Share of the other references with other clothes in the same colors."""
SPRITE_LINES = LineMix(extracted=0.55, both=0.05, contour=0.3)
"""Sprites are colored art, so their lines are extracted more often than drawn."""


def draw_tall_character(who: Identity, pose: TallPose) -> Sheet:
    """The whole character in drawing units, with the center of the head at (0, 0)."""
    sheet, f, base = Sheet(), tall_body_shape(who, pose), pose.base
    draw_mane(sheet, who, pose)
    tilt_head(sheet, 0, base)
    # Everything is drawn from back to front: arms behind the back, body, other arms, face, hair.
    for side, kind in zip((-1, 1), pose.arms, strict=True):
        if kind in BEHIND:
            draw_tall_arm(sheet, who, pose, f, side)
    draw_lower_body(sheet, who, pose, f)
    draw_neck(sheet, who, f)
    draw_upper_body(sheet, who, pose, f)
    if "book" in pose.arms:
        draw_book(sheet, who, f)
    for side, kind in zip((-1, 1), pose.arms, strict=True):
        if kind not in BEHIND:
            draw_tall_arm(sheet, who, pose, f, side)
    start = len(sheet.items)
    draw_face(sheet, who, base)
    draw_shoulder_locks(sheet, who, pose)
    cap = draw_front_hair(sheet, who, base)
    if cap is not None:
        draw_cap_strands(sheet, who, pose, cap)
    draw_headwear(sheet, who, base)
    tilt_head(sheet, start, base)
    return sheet


def random_crop(rng: np.random.Generator) -> str:
    """How much of the character a drawing shows: a key of CROPS, "full" or "face"."""
    return choose_by_weight(rng, bust=0.13, waist=0.22, thigh=0.26, knee=0.25, full=0.09, face=0.05)


def random_tall_camera(rng: np.random.Generator, sheet: Sheet, crop: str, size: int, mirror: bool) -> NDArray[np.float64]:
    """A 2x3 matrix from drawing units to pixels: the character stands on the lower edge, or is cut off by it."""
    lo, hi = sheet.bounds()
    top = max(float(lo[1]), -2.0)
    if crop == "full":
        bottom = float(hi[1])
    elif crop == "face":
        bottom = 1.6
    else:
        bottom = min(CROPS[crop] * rng.uniform(0.88, 1.12), float(hi[1]))
    height = bottom - top
    air = rng.uniform(0.02, 0.14) * size
    scale = (size - air) / height
    wide = min(float(hi[0] - lo[0]), 6.0)
    if crop not in ("face", "bust") and wide * scale > size * 1.02:
        scale = size * 1.02 / wide
    turn = rng.normal(0, 0.025)
    a = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    if mirror:
        a = a @ np.diag([-1.0, 1.0])
    foot = np.array([rng.uniform(-0.4, 0.4), bottom if crop != "full" else bottom + air / scale * 0.4])
    target = np.array([size * (0.5 + rng.uniform(-0.1, 0.1)), float(size)])
    return np.column_stack([a, target - a @ foot])


def draw_tall_view(rng: np.random.Generator, who: Identity, pose: TallPose, crop: str, size: int, light: Shading) -> View:
    """One drawing of the character.  crop: see ``random_crop``."""
    sheet = draw_tall_character(who, pose)
    return rasterize(sheet, who.palette, random_tall_camera(rng, sheet, crop, size, pose.base.mirror), size, light)


class Tall2D:
    """Source of tall drawn people."""

    name = "tall"

    def __init__(self, backgrounds: Backgrounds) -> None:
        self.backgrounds = backgrounds

    def draw(self, rng: np.random.Generator, size: int) -> DrawingSet:
        """Two drawings of a new character, SAME_POSE_SHARE of them in nearly the same pose."""
        who = random_tall_identity(rng)
        pose, crop = random_tall_pose(rng), random_crop(rng)
        target = draw_tall_view(rng, who, pose, crop, size, vary_light(rng, who.shading))
        if rng.random() < SAME_POSE_SHARE:
            again, kind = vary_slightly(rng, pose), "same"
            crop = crop if rng.random() < 0.8 else random_crop(rng)
        else:
            again, kind, crop = random_tall_pose(rng), "other", random_crop(rng)
            if rng.random() < CHANGED_CLOTHES_SHARE:
                kind, who = "changed", change_clothes(rng, who)
        reference = draw_tall_view(rng, who, again, crop, size, vary_light(rng, who.shading))
        return compose(rng, target, reference, self.backgrounds, size, f"{self.name}/{kind}", SPRITE_LINES)
