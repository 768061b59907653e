"""Animal ears, bands, bows, flowers and hats."""

import numpy as np

from backend.training.synthetic.bust.hair import crown_arc
from backend.training.synthetic.bust.heads import MAX_HEAD_TURN
from backend.training.synthetic.bust.identity import Identity, Pose
from backend.training.synthetic.render.canvas import Sheet
from backend.training.synthetic.render.curves import bezier, ellipse, join, rotate_and_shift, smooth, tube


def draw_headwear(sheet: Sheet, who: Identity, pose: Pose) -> None:
    """Draw everything that is worn on the head, and cat ears."""
    rng = np.random.default_rng(who.shape_seed + 2)
    v, line = who.measures["hair_volume"], who.line_width
    s, f = -0.12 * np.sin(pose.yaw * MAX_HEAD_TURN), 0.4 * np.sin(pose.yaw * MAX_HEAD_TURN)
    if who.traits["ears"] == "cat" and who.traits["hat"] == "none":
        tall = rng.uniform(0.5, 0.95)
        for side in (-1, 1):
            x = side * 0.68 + s
            ear = np.array([[x - side * 0.38, -0.98], [x + side * 0.2, -0.98 - tall], [x + side * 0.33, -0.55]])
            sheet.fill(
                join(
                    bezier(ear[0], (ear[0] + ear[1]) / 2 + [-side * 0.06, -0.08], ear[1]),
                    bezier(ear[1], (ear[1] + ear[2]) / 2 + [side * 0.1, 0], ear[2]),
                ),
                "hair",
                line,
            )
            c = ear.mean(0)
            sheet.fill((ear - c) * 0.55 + c, "blush", line * 0.5)
    band = who.traits["band"]
    if band == "band":
        outer, inner = (
            crown_arc(v + 0.03, s, np.pi * 0.93, np.pi * 0.07),
            crown_arc(v - 0.16, s + f * 0.5, np.pi * 0.93, np.pi * 0.07, 0.02),
        )
        sheet.fill(join(outer, inner[::-1]), "accent", line)
    elif band in ("bow", "flower"):
        side = 1 if rng.random() < 0.5 else -1
        x, y, r = side * rng.uniform(0.1, 0.85) + s + f * 0.5, rng.uniform(-1.05, -0.7), rng.uniform(0.22, 0.45)
        if band == "bow":
            draw_bow(sheet, x, y, r, "bow", line)
        else:
            for k in range(5):
                t = k * 2 * np.pi / 5
                sheet.fill(ellipse(x + r * 0.5 * np.cos(t), y + r * 0.5 * np.sin(t), r * 0.36, r * 0.36), "bow", line * 0.8)
            sheet.fill(ellipse(x, y, r * 0.28, r * 0.28), "trim", line * 0.8)
    elif band == "clips":
        x, y = (0.55 if rng.random() < 0.5 else -0.55) + s + f * 0.6, -0.45
        for k in range(2):
            sheet.fill(
                rotate_and_shift(tube([(-0.14, 0), (0.14, 0)], (0.045, 0.045), 2), x, y + 0.14 * k, 0.4), "accent", line * 0.7
            )
    draw_hat(sheet, who, pose, rng, s, f)


def draw_bow(sheet: Sheet, x: float, y: float, r: float, material: str, line: float) -> None:
    """A ribbon bow with its knot at (x, y).  r: length of a loop."""
    for side in (-1, 1):
        loop = smooth(
            [
                (x, y),
                (x + side * r * 0.6, y - r * 0.55),
                (x + side * r * 1.1, y - r * 0.4),
                (x + side * r * 1.05, y + r * 0.4),
                (x + side * r * 0.5, y + r * 0.4),
            ],
            steps=4,
        )
        base = sheet.fill(loop, material, line)
        sheet.stroke(
            bezier((x + side * r * 0.15, y), (x + side * r * 0.4, y - r * 0.1), (x + side * r * 0.65, y)), line * 0.7, base
        )
    sheet.fill(ellipse(x, y, r * 0.22, r * 0.26), material, line)


def draw_hat(sheet: Sheet, who: Identity, pose: Pose, rng: np.random.Generator, s: float, f: float) -> None:
    """The hat, if any.  s: shift of the head, f: shift of its front when it turns, in drawing units."""
    kind, v, line = who.traits["hat"], who.measures["hair_volume"] + 0.05, who.line_width
    y = -0.42 + rng.uniform(-0.12, 0.06)
    if kind == "witch":
        tip = (s + pose.sway + rng.uniform(-0.8, 0.8), -2.5 - rng.uniform(0, 0.6))
        cone = sheet.fill(
            join(
                bezier((s - v * 0.95, y), (s - v * 0.6, -1.6), tip, 10), bezier(tip, (s + v * 0.6, -1.5), (s + v * 0.95, y), 10)
            ),
            "top",
            line,
        )
        sheet.fill(
            join(bezier((s - v, y - 0.35), (s, y - 0.15), (s + v, y - 0.35)), bezier((s + v, y), (s, y + 0.2), (s - v, y))),
            "accent",
            line,
            clip=cone,
        )
        sheet.fill(ellipse(s, y + 0.02, v * 1.75, 0.24 + 0.1 * rng.random()), "top", line)
        sheet.fill(ellipse(s, y - 0.04, v * 1.0, 0.12), "accent", line)
    elif kind == "straw":
        sheet.fill(ellipse(s, y - 0.02, v * 1.65, 0.3), "leather", line)
        sheet.fill(
            join(
                bezier((s - v * 0.9, y), (s - v * 0.9, -1.55), (s, -1.5)),
                bezier((s, -1.5), (s + v * 0.9, -1.55), (s + v * 0.9, y)),
                bezier((s + v * 0.9, y), (s, y + 0.2), (s - v * 0.9, y)),
            ),
            "leather",
            line,
        )
        sheet.fill(
            join(
                bezier((s - v * 0.9, y - 0.25), (s, y), (s + v * 0.9, y - 0.25)),
                bezier((s + v * 0.9, y), (s, y + 0.22), (s - v * 0.9, y)),
            ),
            "bow",
            line,
        )
    elif kind in ("beanie", "cap"):
        dome = sheet.fill(
            join(
                crown_arc(v + 0.08, s, np.pi * 0.98, np.pi * 0.02, -0.2),
                bezier((s + v * 1.05, y), (s, y + 0.15), (s - v * 1.05, y)),
            ),
            "accent",
            line,
        )
        if kind == "beanie":
            sheet.fill(
                join(
                    bezier((s - v * 1.1, y - 0.22), (s, y - 0.1), (s + v * 1.1, y - 0.22)),
                    bezier((s + v * 1.1, y + 0.06), (s, y + 0.2), (s - v * 1.1, y + 0.06)),
                ),
                "trim",
                line,
            )
            sheet.fill(ellipse(s, -1.48, 0.26, 0.24), "trim", line)
        else:
            sheet.fill(
                join(
                    bezier((s + f - 0.85, y + 0.02), (s + f, y - 0.2), (s + f + 0.85, y + 0.02)),
                    bezier((s + f + 0.85, y + 0.02), (s + f * 1.6, y + 0.5), (s + f - 0.85, y + 0.02)),
                ),
                "trim",
                line,
            )
            sheet.stroke(bezier((s, -1.4), (s + f * 0.5 + 0.1, -0.9), (s + f * 0.6, y - 0.1)), line, dome)
    elif kind == "hood":
        ring = join(
            crown_arc(v + 0.24, s, np.pi * 1.18, -np.pi * 0.18),
            crown_arc(v - 0.06, s + f * 0.4, np.pi * 1.15, -np.pi * 0.15, 0.06)[::-1],
        )
        sheet.fill(ring, "top", line)
    elif kind == "crown":
        xs = np.linspace(s - 0.65, s + 0.65, 5)
        tips = np.stack([(xs[1:] + xs[:-1]) / 2, np.full(4, -1.62)], 1)
        zig = np.empty((9, 2))
        zig[0::2], zig[1::2] = np.stack([xs, np.full(5, -1.25)], 1), tips
        sheet.fill(join(zig, bezier((s + 0.65, -0.92), (s, -0.82), (s - 0.65, -0.92))), "metal", line)
