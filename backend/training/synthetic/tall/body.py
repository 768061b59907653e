"""Trunk, skirts and trousers of tall characters.  The head has its center at (0, 0) and a half width of 1; y runs down."""

from dataclasses import replace

import numpy as np

from backend.training.synthetic.bust.bodies import BodyShape, draw_pattern
from backend.training.synthetic.bust.identity import Identity
from backend.training.synthetic.bust.limbs import draw_legs
from backend.training.synthetic.render.canvas import Sheet
from backend.training.synthetic.render.curves import Points, bezier, join, smooth, tube
from backend.training.synthetic.tall.identity import TallPose


def tall_body_shape(who: Identity, pose: TallPose) -> BodyShape:
    """The proportions of a tall body: a head is 2.2 units high, and the crotch lies a little above the middle."""
    n = who.measures
    feet = n["heads"] * 2.2 - 1.15
    size = (n["heads"] / 6.5) ** 0.5
    shoulder = 1.38 + 0.28 * size
    hip = feet * 0.467 - 0.5
    narrow = 1 - 0.16 * abs(pose.turn)
    return BodyShape(
        neck=1.0,
        shoulder=shoulder,
        waist=shoulder + (hip - shoulder) * 0.6,
        hip=hip,
        ws=n["ws"] * size * narrow,
        ww=n["ww"] * size * narrow,
        wh=n["wh"] * size * narrow,
        leg=feet - 0.35 - hip,
        arm=(hip - shoulder) * 0.6 + 0.05,
        lean=pose.base.lean,
    )


def trunk_profile(f: BodyShape, bust: float) -> Points:
    """The right side of the trunk from neck to crotch, x >= 0.  bust: factor of the width below the chest."""
    drop = f.waist - f.shoulder
    return smooth(
        [
            (0.24, f.shoulder - 0.5),
            (0.3, f.shoulder - 0.28),
            (f.ws * 0.62, f.shoulder - 0.1),
            (f.ws * 0.95, f.shoulder + 0.08),
            (f.ws * 0.98, f.shoulder + 0.4),
            (f.ws * 0.84, f.shoulder + 0.36 * drop),
            (f.ws * 0.84 * bust, f.shoulder + 0.52 * drop),
            (f.ww * 1.08, f.shoulder + 0.8 * drop),
            (f.ww, f.waist),
            (f.wh * 0.93, (f.waist + f.hip) / 2),
            (f.wh, f.hip),
            (f.wh * 0.98, f.hip + 0.6),
        ],
        closed=False,
        steps=4,
    )


def trunk_outline(f: BodyShape, bust: float, high: float, low: float, loose: float = 0.0, boxy: float = 0.0) -> Points:
    """Outline of the trunk between two heights.  loose: added width; boxy: 0 follows the waist to 1 hangs straight."""
    right = trunk_profile(f, bust)
    right = right[(right[:, 1] >= high - 0.15) & (right[:, 1] <= low)]
    wide = max(f.ws * 0.84, f.wh * 0.9)
    below = right[:, 1] > f.shoulder + 0.5
    right[below, 0] += boxy * np.maximum(0, wide - right[below, 0])
    right[:, 0] += loose * np.clip((right[:, 1] - f.shoulder) / 1.0, 0, 1)
    end = np.array([right[-1, 0], low])
    outline = join(right, bezier(end, (0, low + 0.16), end * [-1, 1], 8), right[::-1] * [-1, 1])
    outline[:, 0] += f.lean * (outline[:, 1] - f.neck)
    return outline


def front_middle(f: BodyShape, pose: TallPose, y: float) -> float:
    """The x of the middle of the chest at height y; it moves aside when the body turns."""
    return f.spine_x(y) + pose.turn * 0.3 * f.ws


def draw_skirt(sheet: Sheet, who: Identity, pose: TallPose, f: BodyShape, material: str, top: float) -> None:
    """A skirt from height `top` down, with folds, pleats, a ruffle or stripes."""
    rng = np.random.default_rng(who.shape_seed + 11)
    line, kind = who.line_width, who.traits["skirt"]
    low = f.hip + f.leg * (0.18 + 0.5 * who.measures["long"])
    flare = {"aline": 1.35, "pleats": 1.3, "flared": 1.75, "tight": 1.02}[kind] * (0.85 + 0.2 * who.measures["flare"])
    if kind == "tight":
        flare = 1.05
    length = low - f.hip
    wide = f.wh * (1 + (flare - 1) * np.clip(length / 2.5, 0.4, 1.3))
    blown = pose.wind * (0.0 if kind == "tight" else 0.45) * length**0.5
    x0 = f.spine_x(f.hip) + blown
    n = {"aline": 4, "pleats": 9, "flared": 6, "tight": 2}[kind] + int(rng.integers(0, 3))
    xs = np.linspace(wide, -wide, 2 * n + 1) + x0
    arc = np.sqrt(np.maximum(0, 1 - ((xs - x0) / wide / 1.02) ** 2))
    depth = {"aline": 0.05, "pleats": 0.07, "flared": 0.16, "tight": 0.0}[kind]
    ys = low + 0.28 * arc - 0.2 + depth * np.where(np.arange(2 * n + 1) % 2, 1, -1) - 0.12 * blown * np.sign(xs - x0)
    waist = f.ww * 1.03 if top > f.shoulder + 1.2 else f.ws * 0.86
    a, b = f.spine_x(top) - waist, f.spine_x(top) + waist
    ease = f.wh * (1.06 if kind != "flared" else 1.15)
    hem = smooth(np.stack([xs, ys], 1), closed=False, steps=4)
    if who.traits["hemline"] == "ruffle" and kind != "tight":
        t = np.linspace(0, len(hem) - 1, 40 + 1)
        px, py = np.interp(t, np.arange(len(hem)), hem[:, 0]), np.interp(t, np.arange(len(hem)), hem[:, 1])
        frill = np.stack([px, py + 0.2 + 0.09 * np.where(np.arange(41) % 2, 1, -1)], 1)
        ruffle = sheet.fill(
            join(hem[::-1] - [0, 0.1], smooth(frill, closed=False, steps=2)), "trim" if rng.random() < 0.6 else material, line
        )
        for k in range(1, 40, 2):
            sheet.stroke(np.stack([frill[k], frill[k] - [0, 0.2]]), line * 0.5, ruffle)
    outline = join(
        bezier((b, top), (f.spine_x(f.hip) + ease + blown * 0.3, max(f.hip - 0.5, top + 0.5)), (xs[0], ys[0]), 9),
        hem,
        bezier((xs[-1], ys[-1]), (f.spine_x(f.hip) - ease + blown * 0.3, max(f.hip - 0.5, top + 0.5)), (a, top), 9),
    )
    base = sheet.fill(outline, material, line)
    draw_pattern(sheet, who, base, "bottom" if material == "bottom" else "top")
    if who.traits["hemline"] in ("stripe", "stripes") and kind != "tight":
        for k in range(1 if who.traits["hemline"] == "stripe" else 2):
            up = 0.22 + 0.3 * k
            sheet.fill(join(hem - [0, up], hem[::-1] - [0, up + 0.16]), "trim", line * 0.7, clip=base)
    count = {"aline": 5, "pleats": 2 * n - 1, "flared": 9, "tight": 2}[kind]
    for k in np.linspace(-0.86, 0.86, count) + rng.normal(0, 0.03, count):
        foot = (x0 + k * wide, float(np.interp(-k, np.linspace(-1, 1, len(ys)), ys)))
        reach = rng.uniform(0.35, 0.95) if kind != "pleats" else 0.97
        head = (f.spine_x(top) + k * waist * 1.1, top)
        start = (foot[0] + (head[0] - foot[0]) * reach, foot[1] + (head[1] - foot[1]) * reach)
        bow = (f.spine_x(f.hip) + k * ease + blown * 0.3, (foot[1] + start[1]) / 2 - 0.2)
        sheet.stroke(bezier(foot, bow, start), line * rng.uniform(0.5, 0.9), base)
    # Short creases where the cloth is gathered below the waistband.
    for k in rng.uniform(-0.8, 0.8, int(rng.integers(0, 6))):
        x = f.spine_x(top) + k * waist
        sheet.stroke(bezier((x, top + 0.05), (x * 1.05, top + 0.35), (x * 1.12, top + rng.uniform(0.4, 0.8))), line * 0.6, base)


def draw_lower_body(sheet: Sheet, who: Identity, pose: TallPose, f: BodyShape) -> None:
    """Legs with clothes and shoes, and the trunk below the waist."""
    rng = np.random.default_rng(who.shape_seed + 12)
    # The legs are those of the other styles, a little slimmer.
    draw_legs(sheet, who, pose.base, replace(f, wh=f.wh * 0.98))
    kind, line = who.traits["bottom"], who.line_width
    if kind == "skirt":
        sheet.fill(trunk_outline(f, who.measures["bust"], f.waist, f.hip + 0.5), "skin", line)
        return
    base = sheet.fill(trunk_outline(f, who.measures["bust"], f.waist - 0.1, f.hip + 0.55, 0.05), "bottom", line)
    x = front_middle(f, pose, f.hip)
    sheet.stroke(bezier((x, f.waist + 0.1), (x + 0.05, f.hip), (x, f.hip + 0.7)), line * 0.8, base)
    for side in (-1, 1):
        p = f.spine_x(f.hip) + side * f.wh
        sheet.stroke(
            bezier((p - side * 0.1, f.hip + 0.1), (p - side * 0.5, f.hip), (p - side * 0.45, f.waist + 0.3)), line * 0.7, base
        )
        for k in range(int(rng.integers(1, 4))):
            y = f.hip + 0.35 + 0.16 * k
            sheet.stroke(bezier((x + side * 0.06, y), (x + side * 0.35, y - 0.1), (x + side * 0.6, y - 0.32)), line * 0.5, base)


def draw_neck(sheet: Sheet, who: Identity, f: BodyShape) -> None:
    """The neck, and the skin that a neckline may show."""
    line = who.line_width
    wide = 0.3 if who.traits["female"] == "yes" else 0.42
    sheet.fill(trunk_outline(f, who.measures["bust"], f.shoulder - 0.5, f.waist), "skin", line)
    sheet.fill(
        tube([(0, 0.5), (0, 1.0), (f.spine_x(f.shoulder), f.shoulder + 0.1)], (wide, wide * 0.94, wide * 1.15), 4), "skin", 0
    )
    for side in (-1, 1):
        sheet.stroke(
            np.array(
                [[side * wide, 0.6], [side * wide * 0.95, 1.05], [f.spine_x(f.shoulder) + side * wide * 1.1, f.shoulder - 0.18]]
            ),
            line,
        )
        sheet.stroke(
            bezier(
                (f.spine_x(f.shoulder) + side * 0.14, f.shoulder + 0.1),
                (side * 0.5, f.shoulder),
                (side * 0.8, f.shoulder + 0.06),
            ),
            line * 0.5,
        )
