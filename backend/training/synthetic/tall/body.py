"""Trunk, skirts and trousers of tall figures.  The head's center is (0, 0), its half width 1, y downwards."""

from dataclasses import replace

import numpy as np

from backend.training.synthetic.bust.bodies import Frame, decorate
from backend.training.synthetic.bust.identity import Identity
from backend.training.synthetic.bust.limbs import draw_legs
from backend.training.synthetic.render.canvas import Sheet
from backend.training.synthetic.render.curves import Points, bend, join, smooth, tube
from backend.training.synthetic.tall.identity import TallPose


def tall_frame(who: Identity, pose: TallPose) -> Frame:
    """The body: a head is 2.2 units high, the fork a little above the middle."""
    n = who.num
    feet = n["heads"] * 2.2 - 1.15
    size = (n["heads"] / 6.5) ** 0.5
    shoulder = 1.38 + 0.28 * size
    hip = feet * 0.467 - 0.5
    narrow = 1 - 0.16 * abs(pose.turn)
    return Frame(
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


def profile(f: Frame, bust: float) -> Points:
    """The right side from neck to fork, x >= 0."""
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


def trunk(f: Frame, bust: float, high: float, low: float, loose: float = 0.0, boxy: float = 0.0) -> Points:
    """The trunk between two heights as an outline; loose: added width; boxy: 0 follows the waist .. 1 hangs straight."""
    right = profile(f, bust)
    right = right[(right[:, 1] >= high - 0.15) & (right[:, 1] <= low)]
    wide = max(f.ws * 0.84, f.wh * 0.9)
    below = right[:, 1] > f.shoulder + 0.5
    right[below, 0] += boxy * np.maximum(0, wide - right[below, 0])
    right[:, 0] += loose * np.clip((right[:, 1] - f.shoulder) / 1.0, 0, 1)
    end = np.array([right[-1, 0], low])
    outline = join(right, bend(end, (0, low + 0.16), end * [-1, 1], 8), right[::-1] * [-1, 1])
    outline[:, 0] += f.lean * (outline[:, 1] - f.neck)
    return outline


def middle(f: Frame, pose: TallPose, y: float) -> float:
    """Where the front's middle line lies at height y."""
    return f.at(y) + pose.turn * 0.3 * f.ws


def draw_skirt(sheet: Sheet, who: Identity, pose: TallPose, f: Frame, material: str, top: float) -> None:
    """A skirt from height `top`, with folds, pleats, ruffle or stripes."""
    rng = np.random.default_rng(who.shape_seed + 11)
    line, kind = who.width, who.has["skirt"]
    low = f.hip + f.leg * (0.18 + 0.5 * who.num["long"])
    flare = {"aline": 1.35, "pleats": 1.3, "flared": 1.75, "tight": 1.02}[kind] * (0.85 + 0.2 * who.num["flare"])
    if kind == "tight":
        flare = 1.05
    length = low - f.hip
    wide = f.wh * (1 + (flare - 1) * np.clip(length / 2.5, 0.4, 1.3))
    blown = pose.wind * (0.0 if kind == "tight" else 0.45) * length**0.5
    x0 = f.at(f.hip) + blown
    n = {"aline": 4, "pleats": 9, "flared": 6, "tight": 2}[kind] + int(rng.integers(0, 3))
    xs = np.linspace(wide, -wide, 2 * n + 1) + x0
    arc = np.sqrt(np.maximum(0, 1 - ((xs - x0) / wide / 1.02) ** 2))
    depth = {"aline": 0.05, "pleats": 0.07, "flared": 0.16, "tight": 0.0}[kind]
    ys = low + 0.28 * arc - 0.2 + depth * np.where(np.arange(2 * n + 1) % 2, 1, -1) - 0.12 * blown * np.sign(xs - x0)
    waist = f.ww * 1.03 if top > f.shoulder + 1.2 else f.ws * 0.86
    a, b = f.at(top) - waist, f.at(top) + waist
    ease = f.wh * (1.06 if kind != "flared" else 1.15)
    hem = smooth(np.stack([xs, ys], 1), closed=False, steps=4)
    if who.has["hemline"] == "ruffle" and kind != "tight":
        t = np.linspace(0, len(hem) - 1, 40 + 1)
        px, py = np.interp(t, np.arange(len(hem)), hem[:, 0]), np.interp(t, np.arange(len(hem)), hem[:, 1])
        frill = np.stack([px, py + 0.2 + 0.09 * np.where(np.arange(41) % 2, 1, -1)], 1)
        ruffle = sheet.fill(
            join(hem[::-1] - [0, 0.1], smooth(frill, closed=False, steps=2)), "trim" if rng.random() < 0.6 else material, line
        )
        for k in range(1, 40, 2):
            sheet.stroke(np.stack([frill[k], frill[k] - [0, 0.2]]), line * 0.5, ruffle)
    outline = join(
        bend((b, top), (f.at(f.hip) + ease + blown * 0.3, max(f.hip - 0.5, top + 0.5)), (xs[0], ys[0]), 9),
        hem,
        bend((xs[-1], ys[-1]), (f.at(f.hip) - ease + blown * 0.3, max(f.hip - 0.5, top + 0.5)), (a, top), 9),
    )
    base = sheet.fill(outline, material, line)
    decorate(sheet, who, base, "bottom" if material == "bottom" else "top")
    if who.has["hemline"] in ("stripe", "stripes") and kind != "tight":
        for k in range(1 if who.has["hemline"] == "stripe" else 2):
            up = 0.22 + 0.3 * k
            sheet.fill(join(hem - [0, up], hem[::-1] - [0, up + 0.16]), "trim", line * 0.7, clip=base)
    count = {"aline": 5, "pleats": 2 * n - 1, "flared": 9, "tight": 2}[kind]
    for k in np.linspace(-0.86, 0.86, count) + rng.normal(0, 0.03, count):
        foot = (x0 + k * wide, float(np.interp(-k, np.linspace(-1, 1, len(ys)), ys)))
        reach = rng.uniform(0.35, 0.95) if kind != "pleats" else 0.97
        head = (f.at(top) + k * waist * 1.1, top)
        start = (foot[0] + (head[0] - foot[0]) * reach, foot[1] + (head[1] - foot[1]) * reach)
        bow = (f.at(f.hip) + k * ease + blown * 0.3, (foot[1] + start[1]) / 2 - 0.2)
        sheet.stroke(bend(foot, bow, start), line * rng.uniform(0.5, 0.9), base)
    # Gathers below the waistband.
    for k in rng.uniform(-0.8, 0.8, int(rng.integers(0, 6))):
        x = f.at(top) + k * waist
        sheet.stroke(bend((x, top + 0.05), (x * 1.05, top + 0.35), (x * 1.12, top + rng.uniform(0.4, 0.8))), line * 0.6, base)


def draw_lower(sheet: Sheet, who: Identity, pose: TallPose, f: Frame) -> None:
    """Legs with what is on them, and the trunk below the waist."""
    rng = np.random.default_rng(who.shape_seed + 12)
    # The shared legs are those of the other styles, drawn slimmer.
    draw_legs(sheet, who, pose.base, replace(f, wh=f.wh * 0.98))
    kind, line = who.has["bottom"], who.width
    if kind == "skirt":
        sheet.fill(trunk(f, who.num["bust"], f.waist, f.hip + 0.5), "skin", line)
        return
    base = sheet.fill(trunk(f, who.num["bust"], f.waist - 0.1, f.hip + 0.55, 0.05), "bottom", line)
    x = middle(f, pose, f.hip)
    sheet.stroke(bend((x, f.waist + 0.1), (x + 0.05, f.hip), (x, f.hip + 0.7)), line * 0.8, base)
    for side in (-1, 1):
        p = f.at(f.hip) + side * f.wh
        sheet.stroke(
            bend((p - side * 0.1, f.hip + 0.1), (p - side * 0.5, f.hip), (p - side * 0.45, f.waist + 0.3)), line * 0.7, base
        )
        for k in range(int(rng.integers(1, 4))):
            y = f.hip + 0.35 + 0.16 * k
            sheet.stroke(bend((x + side * 0.06, y), (x + side * 0.35, y - 0.1), (x + side * 0.6, y - 0.32)), line * 0.5, base)


def draw_neck(sheet: Sheet, who: Identity, f: Frame) -> None:
    """Neck and the skin that a neckline may show."""
    line = who.width
    wide = 0.3 if who.has["female"] == "yes" else 0.42
    sheet.fill(trunk(f, who.num["bust"], f.shoulder - 0.5, f.waist), "skin", line)
    neck = sheet.fill(
        tube([(0, 0.5), (0, 1.0), (f.at(f.shoulder), f.shoulder + 0.1)], (wide, wide * 0.94, wide * 1.15), 4), "skin", 0
    )
    for side in (-1, 1):
        sheet.stroke(
            np.array(
                [[side * wide, 0.6], [side * wide * 0.95, 1.05], [f.at(f.shoulder) + side * wide * 1.1, f.shoulder - 0.18]]
            ),
            line,
        )
        sheet.stroke(
            bend((f.at(f.shoulder) + side * 0.14, f.shoulder + 0.1), (side * 0.5, f.shoulder), (side * 0.8, f.shoulder + 0.06)),
            line * 0.5,
            None,
        )
    del neck
