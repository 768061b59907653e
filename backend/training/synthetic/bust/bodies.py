"""Bodies, patterns and skirts, below a head whose center is (0, 0); y runs down."""

from dataclasses import dataclass

import numpy as np

from backend.training.synthetic.bust.headwear import draw_bow
from backend.training.synthetic.bust.identity import Identity, Pose
from backend.training.synthetic.render.canvas import Sheet
from backend.training.synthetic.render.curves import Points, bezier, ellipse, join, smooth


@dataclass(frozen=True)
class BodyShape:
    """Heights and half widths of a body, in half head widths."""

    neck: float
    """y of the base of the neck."""
    shoulder: float
    """y of the shoulders."""
    waist: float
    """y of the waist."""
    hip: float
    """y of the hips."""
    ws: float
    """Half width at the shoulders."""
    ww: float
    """Half width at the waist."""
    wh: float
    """Half width at the hips."""
    leg: float
    """Length of a leg."""
    arm: float
    """Length of the upper arm; the forearm is about as long."""
    lean: float
    """How far the spine leans, x for each unit of y."""

    def spine_x(self, y: float) -> float:
        """The x of the spine at height y."""
        return self.lean * (y - self.neck)


def body_shape(who: Identity, pose: Pose) -> BodyShape:
    """The body of this character in this pose."""
    b = who.measures["body"]
    shoulder = 1.12 + 0.36 * b**0.5
    turn = 1 - 0.22 * abs(pose.yaw)
    return BodyShape(
        1.0,
        shoulder,
        shoulder + 1.55 * b,
        shoulder + 2.45 * b,
        who.measures["shoulder"] * turn,
        who.measures["waist"] * turn,
        who.measures["hip"] * turn,
        4.3 * b * who.measures["tall"] ** 0.25,
        1.45 * b,
        pose.lean,
    )


def torso_outline(f: BodyShape, low: float, grow: float = 1.0, flare: float = 1.0) -> Points:
    """Outline from the shoulders to the height `low` (0 waist, 1 hip, more: below).  grow, flare: factors of the width."""
    bottom = f.waist + (f.hip - f.waist) * low
    wide = (f.ww + (f.wh - f.ww) * min(low, 1.0)) * grow * flare
    right = [
        (0.3, f.shoulder - 0.18),
        (f.ws * 0.75 * grow, f.shoulder - 0.02),
        (f.ws * grow, f.shoulder + 0.3),
        (f.ws * 0.86 * grow, f.shoulder + 0.85),
        (f.ww * grow, f.waist),
    ]
    half = np.vstack(
        [
            smooth(right, closed=False, steps=5),
            bezier((f.ww * grow, f.waist), ((f.ww * grow + wide) / 2 * 1.02, (f.waist + bottom) / 2), (wide, bottom), 6),
        ]
    )
    left = half[::-1] * [-1, 1]
    outline = join(half, bezier((wide, bottom), (0, bottom + 0.14), (-wide, bottom), 8), left)
    outline[:, 0] += f.lean * (outline[:, 1] - f.neck)
    return outline


def draw_pattern(sheet: Sheet, who: Identity, base: int, part: str) -> None:
    """Draw the character's pattern over a garment, if this is the patterned one.

    base: index of its shape.  part: "top" or "bottom".
    """
    if who.traits["pattern"] == "none" or who.traits["patterned"] != part:
        return
    outline = sheet.items[base].points
    lo, hi = outline.min(0) - 0.2, outline.max(0) + 0.2
    rng = np.random.default_rng(who.shape_seed + 5)
    step, kind = rng.uniform(0.28, 0.6), who.traits["pattern"]
    line = who.line_width * 0.6 if rng.random() < 0.6 else 0.0
    if kind in ("stripes", "check"):
        for x in np.arange(np.floor(lo[0] / step) * step, hi[0], step):
            sheet.fill(
                np.array([[x, lo[1]], [x + step * 0.4, lo[1]], [x + step * 0.4, hi[1]], [x, hi[1]]]), "trim", line, clip=base
            )
    if kind in ("bands", "check"):
        for y in np.arange(np.floor(lo[1] / step) * step, hi[1], step):
            sheet.fill(
                join(
                    bezier((lo[0], y), ((lo[0] + hi[0]) / 2, y + 0.12), (hi[0], y)),
                    bezier((hi[0], y + step * 0.4), ((lo[0] + hi[0]) / 2, y + step * 0.4 + 0.12), (lo[0], y + step * 0.4)),
                ),
                "trim",
                line,
                clip=base,
            )
    if kind == "dots":
        for i, y in enumerate(np.arange(np.floor(lo[1] / step) * step, hi[1], step)):
            for x in np.arange(np.floor(lo[0] / step) * step + step / 2 * (i % 2), hi[0], step):
                sheet.fill(ellipse(x, y, step * 0.2, step * 0.2, steps=10), "trim", line, clip=base)


def draw_folds(sheet: Sheet, who: Identity, base: int, lines: list[tuple[tuple[float, float], tuple[float, float]]]) -> None:
    """Curved creases from point to point inside a garment.  base: index of its shape."""
    for a, b in lines:
        middle = (np.asarray(a) + np.asarray(b)) / 2 + 0.08
        sheet.stroke(bezier(a, middle, b), who.line_width * 0.7, base)


def draw_skirt(sheet: Sheet, who: Identity, pose: Pose, f: BodyShape, material: str) -> None:
    """A flared skirt with pleats."""
    low = f.hip + f.leg * (0.1 + 0.75 * who.measures["hem"])
    wide = f.wh * who.measures["flare"] * (1 + 0.25 * who.measures["hem"])
    top = f.waist + 0.1
    n, x0 = 6, f.spine_x(f.hip) + pose.sway * 0.2
    xs = np.linspace(wide, -wide, n * 2 + 1) + x0
    wave = low + 0.12 * np.sqrt(np.maximum(0, 1 - ((xs - x0) / wide) ** 2)) + 0.05 * np.where(np.arange(n * 2 + 1) % 2, 1, -1)
    a, b = f.spine_x(top) - f.ww * 1.02, f.spine_x(top) + f.ww * 1.02
    outline = join(
        bezier((b, top), (f.spine_x(f.hip) + f.wh * 1.1, f.hip - 0.2), (xs[0], wave[0]), 8),
        smooth(np.stack([xs, wave], 1), closed=False, steps=3),
        bezier((xs[-1], wave[-1]), (f.spine_x(f.hip) - f.wh * 1.1, f.hip - 0.2), (a, top), 8),
    )
    base = sheet.fill(outline, material, who.line_width)
    draw_pattern(sheet, who, base, "bottom")
    if who.traits["cuffs"] == "cuffs":
        hem = np.stack([xs, wave], 1)
        sheet.fill(join(hem, hem[::-1] - [0, 0.22]), "trim", who.line_width * 0.8, clip=base)
    for i in range(1, n * 2, 2):
        sheet.stroke(
            bezier((xs[i], wave[i]), ((xs[i] + x0) / 2, (low + top) / 2), (x0 + (xs[i] - x0) * 0.5, top + 0.3)),
            who.line_width * 0.7,
            base,
        )


def draw_bow_at_neck(sheet: Sheet, who: Identity, f: BodyShape) -> None:
    """A ribbon bow on the chest."""
    draw_bow(sheet, f.spine_x(f.shoulder), f.shoulder + 0.12, 0.42, "bow", who.line_width)
