"""Necklines, collars, ribbons, buttons and sashes of tall characters."""

import numpy as np

from backend.training.synthetic.bust.bodies import BodyShape
from backend.training.synthetic.bust.headwear import draw_bow
from backend.training.synthetic.bust.identity import Identity
from backend.training.synthetic.render.canvas import Sheet
from backend.training.synthetic.render.curves import bezier, ellipse, join, smooth, tube
from backend.training.synthetic.tall.body import front_middle
from backend.training.synthetic.tall.identity import TallPose


def draw_neckline(sheet: Sheet, who: Identity, pose: TallPose, f: BodyShape, material: str) -> None:
    """The skin that a neckline shows, and the collar."""
    kind, line, c = who.traits["neckline"], who.line_width, who.measures["depth"]
    x, y, xm = f.spine_x(f.shoulder), f.shoulder - 0.22, front_middle(f, pose, f.shoulder + 0.5)
    edge = "trim" if who.traits["cuffs"] == "cuffs" else material
    if kind == "vee":
        sheet.fill(
            join((x - 0.42, y - 0.04), (xm, y + 0.45 + c), (x + 0.42, y - 0.04), (x + 0.24, y - 0.2), (x - 0.24, y - 0.2)),
            "skin",
            0,
        )
        for side in (-1, 1):
            sheet.fill(tube([(x + side * 0.42, y - 0.06), (xm + side * 0.03, y + 0.46 + c)], (0.07, 0.05), 2), edge, line)
    elif kind in ("round", "square"):
        low = y + 0.25 + 0.45 * c
        if kind == "round":
            hole = bezier((x - 0.5, y - 0.02), (xm, low + (low - y)), (x + 0.5, y - 0.02), 12)
        else:
            hole = np.array([[x - 0.5, y], [xm - 0.46, low], [xm + 0.46, low], [x + 0.5, y]])
        sheet.fill(join(hole, (x + 0.24, y - 0.2), (x - 0.24, y - 0.2)), "skin", 0)
        sheet.stroke(hole, line)
        if edge == "trim":
            sheet.fill(join(hole, (hole + [0, 0.1])[::-1]), "trim", line * 0.8)
        for side in (-1, 1):
            sheet.stroke(
                bezier((x + side * 0.12, y + 0.28), (x + side * 0.3, y + 0.14), (x + side * 0.44, y + 0.16)), line * 0.5
            )
    elif kind == "high":
        sheet.fill(
            join(
                bezier((x - 0.34, y - 0.26), (x, y - 0.12), (x + 0.34, y - 0.26)),
                bezier((x + 0.42, y + 0.1), (xm, y + 0.32), (x - 0.42, y + 0.1)),
            ),
            edge,
            line,
        )
    else:
        collar = (
            "shirt" if who.traits["outfit"] in ("jacket", "cardigan", "sweater") else ("trim" if edge == "trim" else material)
        )
        sheet.fill(join((x - 0.3, y - 0.2), (xm, y + 0.3 + 0.3 * c), (x + 0.3, y - 0.2)), "skin", line * 0.6)
        for side in (-1, 1):
            tip = (xm + side * (0.3 + 0.3 * c), y + 0.4 + 0.3 * c)
            if who.measures["curl"] > 0.2:
                piece = smooth(
                    [(x + side * 0.36, y - 0.16), (x + side * 0.62, y + 0.14), tip, (xm + side * 0.02, y + 0.24)], steps=4
                )
            else:
                piece = join((x + side * 0.3, y - 0.24), (x + side * 0.5, y - 0.02), tip, (xm, y + 0.26 + 0.2 * c))
            sheet.fill(piece, collar, line)


def draw_neckwear(sheet: Sheet, who: Identity, pose: TallPose, f: BodyShape) -> None:
    """Ribbon, bow, tie, scarf, choker or pendant."""
    kind, line = who.traits["neckwear"], who.line_width
    y, x = f.shoulder + 0.1, front_middle(f, pose, f.shoulder + 0.3)
    rng = np.random.default_rng(who.shape_seed + 41)
    if kind == "ribbon":
        low = rng.uniform(0.7, 1.5)
        for side in (-1, 1):
            tail = sheet.fill(
                tube([(x, y), (x + side * 0.14, y + low * 0.5), (x + side * 0.2, y + low)], (0.03, 0.08, 0.1), 4), "bow", line
            )
            sheet.stroke(np.array([[x + side * 0.04, y + 0.1], [x + side * 0.14, y + low * 0.7]]), line * 0.5, tail)
        draw_bow(sheet, x, y, rng.uniform(0.24, 0.4), "bow", line)
    elif kind == "bow":
        draw_bow(sheet, x, y + 0.1, rng.uniform(0.4, 0.6), "bow", line)
    elif kind == "tie":
        low = f.waist - rng.uniform(0.2, 0.9)
        xl = front_middle(f, pose, low)
        sheet.fill(
            join((x - 0.12, y + 0.2), (x + 0.12, y + 0.2), (xl + 0.2, low), (xl, low + 0.24), (xl - 0.2, low)), "bow", line
        )
        sheet.fill(join((x - 0.16, y), (x + 0.16, y), (x + 0.1, y + 0.24), (x - 0.1, y + 0.24)), "bow", line)
    elif kind == "scarf":
        for side, low in ((1, rng.uniform(0.8, 1.6)), (-1, rng.uniform(0.6, 1.2))):
            end = sheet.fill(
                tube([(x + side * 0.08, y), (x + side * 0.22, y + low * 0.5), (x + side * 0.16, y + low)], (0.1, 0.2, 0.24), 5),
                "bow",
                line,
            )
            for k in (-0.1, 0.08):
                sheet.stroke(
                    bezier(
                        (x + side * 0.1, y + 0.1), (x + side * 0.25 + k, y + low * 0.4), (x + side * 0.18 + k, y + low * 0.9)
                    ),
                    line * 0.6,
                    end,
                )
        sheet.fill(
            join(
                bezier((x - 0.5, y - 0.42), (x, y - 0.12), (x + 0.5, y - 0.42)),
                bezier((x + 0.52, y - 0.12), (x, y + 0.28), (x - 0.52, y - 0.12)),
            ),
            "bow",
            line,
        )
    elif kind == "choker":
        sheet.fill(
            join(bezier((-0.29, 1.12), (0, 1.26), (0.29, 1.12)), bezier((0.29, 1.26), (0, 1.42), (-0.29, 1.26))), "accent", line
        )
    elif kind == "pendant":
        sheet.stroke(bezier((x - 0.34, y - 0.25), (x, y + 1.0), (x + 0.34, y - 0.25), 10), line * 0.7)
        sheet.fill(ellipse(x, y + 0.42, 0.09, 0.11), "metal", line)


def draw_closing(sheet: Sheet, who: Identity, pose: TallPose, f: BodyShape, base: int, low: float) -> None:
    """Buttons or lacing down the front, and a frill over the bust.  base: index of the garment.  low: its lower edge."""
    kind, line = who.traits["closing"], who.line_width
    top = f.shoulder + 0.55
    if kind != "none":
        ys = np.linspace(top, low, 5)
        xs = np.array([front_middle(f, pose, float(y)) for y in ys])
        sheet.stroke(np.stack([xs + 0.08, ys], 1), line * 0.7, base)
        count = 4 + int(who.measures["hem"] * 4)
        for y in np.linspace(top + 0.15, low - 0.25, count):
            x = front_middle(f, pose, float(y))
            if kind == "buttons":
                sheet.fill(
                    ellipse(x, y, 0.055, 0.055, steps=8), "metal" if who.measures["curl"] > 0 else "trim", line * 0.8, clip=base
                )
            else:
                sheet.fill(tube([(x - 0.16, y - 0.05), (x + 0.16, y + 0.05)], (0.03, 0.03), 2), "trim", line * 0.6, clip=base)
    if who.traits["frill"] == "bust":
        y, x = f.shoulder + 0.6 * (f.waist - f.shoulder), front_middle(f, pose, f.shoulder + 1)
        xs = np.linspace(-f.ws * 0.8, f.ws * 0.8, 21) + x
        edge = np.stack([xs, y + 0.12 * np.where(np.arange(21) % 2, 1, -1)], 1)
        frill = sheet.fill(join(smooth(edge, closed=False, steps=2), edge[::-1] - [0, 0.4]), "trim", line, clip=base)
        for k in range(1, 21, 2):
            sheet.stroke(np.stack([edge[k] - [0, 0.05], edge[k] - [0, 0.35]]), line * 0.5, frill)


def draw_waist_wear(sheet: Sheet, who: Identity, pose: TallPose, f: BodyShape) -> None:
    """A belt, a sash, or a sash with a large bow at the side."""
    kind, line = who.traits["middle"], who.line_width
    if kind == "none":
        return
    rng = np.random.default_rng(who.shape_seed + 42)
    x, y = f.spine_x(f.waist), f.waist + 0.05
    h = {"belt": 0.14, "sash": rng.uniform(0.2, 0.42), "bowsash": rng.uniform(0.24, 0.4)}[kind]
    w = f.ww * 1.08 + 0.05
    material = "leather" if kind == "belt" else "accent"
    side = 1 if who.shape_seed % 2 else -1
    tails = [(side * w * 0.7, side * w * 1.1, rng.uniform(1.0, 2.4)), (side * w * 0.6, side * w * 0.5, rng.uniform(0.9, 2.0))]
    if kind == "bowsash" or (kind == "sash" and rng.random() < 0.4):
        for a, b, low in tails:
            tail = sheet.fill(
                tube(
                    [(x + a, y), (x + (a + b) / 2 + pose.wind * 0.2, y + low * 0.5), (x + b + pose.wind * 0.5, y + low)],
                    (0.1, 0.24, 0.34),
                    5,
                ),
                material,
                line,
            )
            for k in (-0.12, 0.06, 0.16):
                sheet.stroke(
                    bezier(
                        (x + a, y + 0.15),
                        (x + (a + b) / 2 + k, y + low * 0.5),
                        (x + b + k * 1.5 + pose.wind * 0.4, y + low * 0.92),
                    ),
                    line * 0.6,
                    tail,
                )
    base = sheet.fill(
        join(
            bezier((x - w, y - h), (x, y - h + 0.14), (x + w, y - h)),
            bezier((x + w * 1.04, y + h), (x, y + h + 0.16), (x - w * 1.04, y + h)),
        ),
        material,
        line,
    )
    if kind == "belt":
        xm = front_middle(f, pose, f.waist)
        sheet.fill(
            np.array([[xm - 0.16, y - 0.06], [xm + 0.16, y - 0.06], [xm + 0.16, y + 0.24], [xm - 0.16, y + 0.24]]),
            "metal",
            line,
        )
    else:
        for _ in range(int(rng.integers(1, 4))):
            yy = y + rng.uniform(-0.6, 0.8) * h
            sheet.stroke(
                bezier((x - side * w, yy), (x, yy + 0.14), (x + side * w * rng.uniform(0.2, 0.8), yy + 0.05)), line * 0.5, base
            )
    if kind == "bowsash":
        draw_bow(sheet, x + side * w * 0.7, y, rng.uniform(0.4, 0.75), material, line)
