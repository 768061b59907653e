"""Tall characters, 5.5 to 7.5 heads high: their traits, clothes and poses.

Heads, faces and pens are shared with the other styles; bodies, long hair, clothes and poses are not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from backend.training.synthetic.bust.identity import Identity, Pose, choose_by_weight, random_identity, random_pose
from backend.training.synthetic.render.palettes import Color, color_from_hsv, random_color, scale_color

ARM_POSES = ("hang", "hang", "back", "hip", "chest", "front", "raised", "cheek")
"""Poses of a single arm; twice in the list is twice as frequent."""
BOTH_ARMS = ("crossed", "back", "front", "hang", "book", "hip", "chest")
"""Poses of both arms together."""


@dataclass(frozen=True)
class TallPose:
    """Pose and expression of a tall character in one drawing."""

    base: Pose
    """Head, expression and legs."""
    arms: tuple[str, str]
    """Poses of the left and the right arm."""
    jitter: np.ndarray
    """(2, 2, 2): shifts of elbow and wrist of each arm."""
    turn: float
    """How far the body turns, -1..1."""
    wind: float
    """How far skirt and hair are blown aside."""


def random_clothes(rng: np.random.Generator, female: bool) -> dict[str, str]:
    """Traits of clothes: garments and their details."""
    if female:
        outfit = choose_by_weight(rng, blouse=0.24, dress=0.26, cardigan=0.16, school=0.1, sweater=0.1, tunic=0.1, jacket=0.04)
        bottom = choose_by_weight(rng, skirt=0.68, trousers=0.24, shorts=0.08)
    else:
        outfit = choose_by_weight(rng, blouse=0.4, jacket=0.3, sweater=0.15, cardigan=0.15)
        bottom = choose_by_weight(rng, trousers=0.9, shorts=0.1)
    if outfit in ("dress", "school"):
        bottom = "skirt" if female else "trousers"
    return {
        "outfit": outfit,
        "bottom": bottom,
        "skirt": choose_by_weight(rng, aline=0.35, pleats=0.25, flared=0.28, tight=0.12),
        "neckline": choose_by_weight(rng, vee=0.25, round=0.22, collar=0.35, high=0.08, square=0.1),
        "sleeve": choose_by_weight(rng, none=0.1, puff=0.22, short=0.2, elbow=0.12, long=0.26, bell=0.1)
        if female
        else choose_by_weight(rng, short=0.3, long=0.55, elbow=0.15),
        "middle": choose_by_weight(rng, none=0.4, sash=0.22, belt=0.24, bowsash=0.14)
        if female
        else choose_by_weight(rng, none=0.4, belt=0.6),
        "neckwear": choose_by_weight(rng, none=0.4, ribbon=0.2, bow=0.1, tie=0.08, scarf=0.08, choker=0.07, pendant=0.07),
        "closing": choose_by_weight(rng, none=0.4, buttons=0.4, lace=0.2),
        "hemline": choose_by_weight(rng, none=0.4, ruffle=0.25, stripe=0.2, stripes=0.15),
        "frill": choose_by_weight(rng, none=0.7, bust=0.3) if female else "none",
        "pattern": choose_by_weight(rng, none=0.5, dots=0.2, stripes=0.1, bands=0.08, check=0.12),
        "patterned": choose_by_weight(rng, top=0.55, bottom=0.45),
        "legs": choose_by_weight(rng, bare=0.3, socks=0.5, boots=0.2),
        "bracelet": choose_by_weight(rng, no=0.85, yes=0.15),
    }


def random_hair(rng: np.random.Generator, female: bool) -> dict[str, str]:
    """Traits of hair, headwear and face."""
    back = (
        choose_by_weight(rng, straight=0.34, wavy=0.22, bobbed=0.2, flick=0.06, twin=0.08, pony=0.06, braid=0.04)
        if female
        else choose_by_weight(rng, short=0.8, straight=0.1, bobbed=0.1)
    )
    return {
        "mane": back,
        # The code that draws heads knows these two back hairs; the mane is drawn in ``hair``.
        "back": "short" if back == "short" else "bob",
        "side": "none",
        "fringe": choose_by_weight(rng, zigzag=0.45, parted=0.25, straight=0.14, swept=0.16),
        "locks": choose_by_weight(rng, none=0.25, short=0.4, long=0.35) if female else "none",
        "over": choose_by_weight(rng, behind=0.55, front=0.45) if female else "behind",
        "hat": choose_by_weight(rng, none=0.95, straw=0.02, beanie=0.02, cap=0.01),
        "band": choose_by_weight(rng, none=0.6, band=0.2, bow=0.1, clips=0.06, flower=0.04) if female else "none",
        "ears": choose_by_weight(rng, human=0.9, cat=0.06, elf=0.04),
        "glasses": choose_by_weight(rng, none=0.82, round=0.1, square=0.08),
        "beard": "no" if female else choose_by_weight(rng, no=0.95, yes=0.05),
        "eyes": choose_by_weight(rng, tall=0.45, round=0.3, narrow=0.25),
    }


def random_tall_palette(rng: np.random.Generator, base: Mapping[str, Color]) -> dict[str, Color]:
    """The palette with clothes in related hues half of the time, in one hue a quarter of the time."""
    out = dict(base)
    kind = rng.random()
    if kind < 0.5:
        hue, spread = rng.random(), 0.04 if kind < 0.25 else 0.16
        for name in ("top", "bottom", "accent", "trim", "bow"):
            out[name] = color_from_hsv((hue + rng.normal(0, spread)) % 1, rng.uniform(0.08, 0.75), rng.uniform(0.3, 1))
    if rng.random() < 0.4:
        out["shirt"] = color_from_hsv(rng.random(), rng.uniform(0, 0.12), rng.uniform(0.88, 1))
    if rng.random() < 0.2:
        out["bottom"] = color_from_hsv(rng.uniform(0.55, 0.68), rng.uniform(0.2, 0.6), rng.uniform(0.2, 0.5))
    if rng.random() < 0.3:
        out["trim"] = scale_color(out["top"], rng.uniform(0.6, 0.9))
    out["prop"] = random_color(rng)
    return out


def random_tall_identity(rng: np.random.Generator) -> Identity:
    """A new tall character."""
    base = random_identity(rng, "slim")
    female = rng.random() < 0.78
    heads = rng.uniform(5.5, 7.5)
    num = {
        **base.measures,
        "heads": heads,
        "face_w": rng.uniform(0.84, 0.97),
        "chin": rng.uniform(0.98, 1.16),
        "jaw": rng.uniform(0.5, 0.72) if female else rng.uniform(0.58, 0.85),
        "eye_w": rng.uniform(0.19, 0.29),
        "eye_h": rng.uniform(0.2, 0.36) if female else rng.uniform(0.16, 0.26),
        "eye_y": rng.uniform(0.2, 0.34),
        "nose": rng.uniform(0.02, 0.07),
        "brow": rng.uniform(0.02, 0.06),
        "hair_volume": rng.uniform(1.06, 1.22),
        "fringe": rng.uniform(-0.3, 0.14),
        "tips": float(rng.integers(4, 11)),
        "length": rng.uniform(1.6, 6.5),
        "wave": rng.uniform(0.05, 0.22),
        "strands": float(rng.integers(4, 22)),
        "ws": rng.uniform(1.18, 1.45) if female else rng.uniform(1.5, 1.85),
        "ww": rng.uniform(0.66, 0.86) if female else rng.uniform(0.95, 1.2),
        "wh": rng.uniform(1.0, 1.28) if female else rng.uniform(0.95, 1.15),
        "bust": rng.uniform(0.86, 1.02) if female else 0.92,
        "arm": rng.uniform(0.24, 0.3) if female else rng.uniform(0.28, 0.36),
        "loose": rng.uniform(0.0, 0.12),
        "long": rng.uniform(0.15, 0.95),
        "flare": rng.uniform(1.0, 2.0),
        "depth": rng.uniform(0.25, 0.95),
        "hem": rng.uniform(0.1, 1.0),
        "tall": 1.0,
    }
    has = {
        **base.traits,
        **random_clothes(rng, female),
        **random_hair(rng, female),
        "female": "yes" if female else "no",
        "tail": "no",
    }
    return replace(
        base,
        style="tall",
        measures=num,
        traits=has,
        palette=random_tall_palette(rng, base.palette),
        line_width=rng.uniform(0.012, 0.03) * (1.5 if rng.random() < 0.15 else 1.0),
    )


def change_clothes(rng: np.random.Generator, who: Identity) -> Identity:
    """The same character in other clothes of the same colors."""
    return replace(who, traits={**who.traits, **random_clothes(rng, who.traits["female"] == "yes")})


def random_tall_pose(rng: np.random.Generator) -> TallPose:
    """A random pose, mostly a calm one, as of sprites."""
    base = random_pose(rng)
    calm = replace(
        base,
        yaw=float(np.clip(rng.normal(0, 0.4), -0.95, 0.95)),
        tilt=float(rng.normal(0, 0.08)),
        lean=float(rng.normal(0, 0.03)),
        legs=(
            (float(rng.uniform(0.0, 0.1)), float(rng.uniform(-0.06, 0.03))),
            (float(rng.uniform(0.0, 0.12)), float(rng.uniform(-0.1, 0.03))),
        ),
        sway=float(rng.normal(0, 0.25)),
    )
    if rng.random() < 0.55:
        both = BOTH_ARMS[int(rng.integers(len(BOTH_ARMS)))]
        arms = (both, both)
    else:
        arms = (ARM_POSES[int(rng.integers(len(ARM_POSES)))], ARM_POSES[int(rng.integers(len(ARM_POSES)))])
    turn = float(np.clip(calm.yaw * 0.5 + rng.normal(0, 0.25), -0.9, 0.9))
    return TallPose(calm, arms, rng.normal(0, 0.09, (2, 2, 2)), turn, float(rng.normal(0, 0.35)))


def vary_slightly(rng: np.random.Generator, pose: TallPose) -> TallPose:
    """The pose of the next drawing of a sprite: another expression, perhaps one arm moved, the head tilted a little."""
    other = random_pose(rng)
    base = replace(
        pose.base,
        eyes=other.eyes,
        mouth=other.mouth,
        brows=other.brows,
        gaze=other.gaze,
        tilt=pose.base.tilt + float(rng.normal(0, 0.03)),
        mirror=pose.base.mirror if rng.random() < 0.75 else not pose.base.mirror,
    )
    arms, jitter = pose.arms, pose.jitter
    single = pose.arms[0] not in ("crossed", "book")
    if single and rng.random() < 0.35:
        arms = (pose.arms[0], ARM_POSES[int(rng.integers(len(ARM_POSES)))])
        jitter = pose.jitter + rng.normal(0, 0.04, (2, 2, 2))
    return TallPose(base, arms, jitter, pose.turn, pose.wind + float(rng.normal(0, 0.05)))
