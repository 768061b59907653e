"""Who is drawn (``Identity``), and the pose of one drawing (``Pose``)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from backend.training.synthetic.render.palettes import Color, random_character_palette
from backend.training.synthetic.render.shading import Shading, random_shading

STYLES = ("anime", "slim", "chibi", "cartoon", "storybook")
"""Styles of drawing: proportions of body and eyes."""
HELD_OUT_STYLE = "storybook"
"""The style that only validation sees."""


@dataclass(frozen=True)
class Identity:
    """What two drawings of one character share."""

    style: str
    """One of the STYLES, or "tall"."""
    palette: Mapping[str, Color]
    """Color of each material."""
    shading: Shading
    """How the artist lights the character."""
    line_width: float
    """In half head widths."""
    measures: Mapping[str, float]
    """Lengths in half head widths, and other numbers, by name."""
    traits: Mapping[str, str]
    """Which hair style, garment or feature, by name: traits["hat"] == "witch"."""
    shape_seed: int
    """Seed of details that have no entry in `measures`."""


@dataclass(frozen=True)
class Pose:
    """Pose and expression in one drawing."""

    yaw: float
    """Turn of the head, -1 left to 1 right."""
    tilt: float
    """Tilt of the head, radians."""
    lean: float
    """Lean of the body, radians."""
    gaze: tuple[float, float]
    """Where the eyes look, x and y, -1..1."""
    arms: tuple[tuple[float, float], tuple[float, float]]
    """Left and right arm: angles of the upper arm from straight down and of the elbow, radians, outwards positive."""
    legs: tuple[tuple[float, float], tuple[float, float]]
    """Left and right leg, as the arms."""
    eyes: str
    """open, closed, happy, wink or half."""
    mouth: str
    """line, smile, open, o or frown."""
    brows: float
    """Slope of the brows, -1..1."""
    sway: float
    """How far hair and skirt swing aside."""
    mirror: bool
    """Whether the drawing is mirrored."""


def choose_by_weight(rng: np.random.Generator, **weights: float) -> str:
    """One of the names at random, by weight."""
    p = np.array(list(weights.values()))
    return list(weights)[int(rng.choice(len(p), p=p / p.sum()))]


def random_identity(rng: np.random.Generator, style: str) -> Identity:
    """A new character in one of the STYLES."""
    small = {"anime": 1.0, "slim": 1.22, "chibi": 0.5, "cartoon": 0.82, "storybook": 0.7}[style] * rng.uniform(0.9, 1.1)
    eye = {"anime": 1.0, "slim": 0.85, "chibi": 1.2, "cartoon": 0.9, "storybook": 0.45}[style] * rng.uniform(0.8, 1.2)
    num = {
        "body": small,
        "face_w": rng.uniform(0.86, 1.04),
        "chin": rng.uniform(0.92, 1.15),
        "jaw": rng.uniform(0.3, 0.75) if style != "cartoon" else rng.uniform(0.4, 1.0),
        "eye_w": 0.27 * eye * rng.uniform(0.85, 1.1),
        "eye_h": 0.33 * eye * rng.uniform(0.65, 1.25),
        "eye_x": rng.uniform(0.36, 0.47),
        "eye_y": rng.uniform(0.16, 0.34),
        "brow": rng.uniform(0.04, 0.11),
        "nose": rng.uniform(0.03, 0.12),
        "hair_volume": rng.uniform(1.08, 1.28),
        "fringe": rng.uniform(-0.42, 0.14),
        "tips": float(rng.integers(3, 10)),
        "parting": rng.uniform(-0.5, 0.5),
        "curl": rng.uniform(-0.5, 0.6),
        "side": rng.uniform(0.5, 2.6),
        "length": float(rng.choice([0.9, 1.4, 2.2, 3.4, 5.0])) * rng.uniform(0.8, 1.2),
        "shoulder": rng.uniform(0.95, 1.35) * (small**0.35),
        "waist": rng.uniform(0.6, 0.95) * (small**0.35),
        "hip": rng.uniform(0.75, 1.1) * (small**0.35),
        "arm": rng.uniform(0.2, 0.3),
        "sleeve": rng.uniform(1.15, 1.9),
        "sleeve_len": float(rng.choice([0.0, 0.3, 0.45, 0.75, 1.0, 1.0])),
        "hem": rng.uniform(0.25, 0.9),
        "flare": rng.uniform(1.05, 1.9),
        "collar": rng.uniform(0.25, 0.7),
        "tall": rng.uniform(0.4, 1.0),
    }
    has = {
        "eyes": choose_by_weight(rng, tall=0.5, round=0.3, narrow=0.2) if style not in ("storybook",) else "dot",
        "iris": choose_by_weight(rng, plain=0.3, two=0.5, ring=0.2),
        "nose": choose_by_weight(rng, tick=0.4, dot=0.15, side=0.25, round=0.2),
        "ears": choose_by_weight(rng, human=0.62, elf=0.13, cat=0.15, none=0.1),
        "fringe": choose_by_weight(rng, zigzag=0.4, parted=0.2, straight=0.15, swept=0.17, none=0.08),
        "back": choose_by_weight(rng, bob=0.2, long=0.24, short=0.2, tails=0.14, pony=0.12, bun=0.07, spiky=0.1, bald=0.02),
        "side": choose_by_weight(rng, locks=0.6, none=0.4),
        "ahoge": choose_by_weight(rng, no=0.7, yes=0.3),
        "hat": choose_by_weight(rng, none=0.66, witch=0.07, beanie=0.06, cap=0.06, straw=0.06, hood=0.05, crown=0.04),
        "band": choose_by_weight(rng, none=0.6, band=0.14, bow=0.14, flower=0.07, clips=0.05),
        "glasses": choose_by_weight(rng, none=0.84, round=0.1, square=0.06),
        "top": choose_by_weight(
            rng, shirt=0.2, jacket=0.2, dress=0.17, vest=0.1, hoodie=0.1, sailor=0.1, robe=0.07, armor=0.06
        ),
        "collar": choose_by_weight(rng, none=0.25, points=0.35, round=0.2, turtle=0.1, vee=0.1),
        "neck": choose_by_weight(rng, none=0.45, tie=0.17, bow=0.17, scarf=0.11, pendant=0.1),
        "bottom": choose_by_weight(rng, trousers=0.38, skirt=0.38, shorts=0.24),
        "pattern": choose_by_weight(rng, none=0.55, stripes=0.15, dots=0.12, bands=0.1, check=0.08),
        "patterned": choose_by_weight(rng, top=0.5, bottom=0.5),
        "belt": choose_by_weight(rng, none=0.5, belt=0.3, sash=0.2),
        "cape": choose_by_weight(rng, none=0.86, cape=0.14),
        "cuffs": choose_by_weight(rng, none=0.5, cuffs=0.5),
        "legs": choose_by_weight(rng, bare=0.4, socks=0.3, boots=0.3),
        "freckles": choose_by_weight(rng, no=0.9, yes=0.1),
        "blush": choose_by_weight(rng, no=0.6, yes=0.4),
        "tail": choose_by_weight(rng, no=0.93, yes=0.07),
        "beard": choose_by_weight(rng, no=0.96, yes=0.04),
        "apron": choose_by_weight(rng, no=0.92, yes=0.08),
        "bag": choose_by_weight(rng, no=0.9, yes=0.1),
    }
    width = rng.uniform(0.016, 0.05) * (1.25 if style == "cartoon" else 1.0)
    return Identity(style, random_character_palette(rng), random_shading(rng), width, num, has, int(rng.integers(2**31)))


def random_pose(rng: np.random.Generator) -> Pose:
    """A random pose and expression."""

    def arm() -> tuple[float, float]:
        kind = rng.random()
        if kind < 0.4:
            return float(rng.uniform(0.08, 0.4)), float(rng.uniform(-0.1, 0.3))
        if kind < 0.6:
            return float(rng.uniform(0.5, 0.9)), float(-rng.uniform(1.4, 2.3))
        if kind < 0.8:
            return float(rng.uniform(0.05, 0.5)), float(-rng.uniform(0.8, 2.2))
        return float(rng.uniform(0.6, 2.4)), float(rng.uniform(-0.4, 1.2))

    def leg() -> tuple[float, float]:
        return float(rng.uniform(0.0, 0.22)), float(rng.uniform(-0.1, 0.1)) if rng.random() < 0.8 else float(
            rng.uniform(-0.9, 0)
        )

    yaw = float(np.clip(rng.normal(0, 0.5), -1, 1))
    return Pose(
        yaw,
        float(rng.normal(0, 0.11)),
        float(rng.normal(0, 0.06)),
        (float(rng.uniform(-1, 1)), float(rng.uniform(-0.6, 0.6))),
        (arm(), arm()),
        (leg(), leg()),
        choose_by_weight(rng, open=0.72, closed=0.09, happy=0.1, wink=0.05, half=0.04),
        choose_by_weight(rng, line=0.28, smile=0.3, open=0.24, o=0.08, frown=0.1),
        float(rng.uniform(-1, 1)),
        float(rng.normal(0, 0.35)),
        bool(rng.random() < 0.5),
    )
