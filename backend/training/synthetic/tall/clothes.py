"""Blouses, dresses, cardigans and jackets of tall characters."""

import numpy as np

from backend.training.synthetic.bust.bodies import BodyShape, draw_pattern
from backend.training.synthetic.bust.identity import Identity
from backend.training.synthetic.render.canvas import Sheet
from backend.training.synthetic.render.curves import bezier, join, smooth, tube
from backend.training.synthetic.tall.body import draw_skirt, front_middle, trunk_outline
from backend.training.synthetic.tall.details import draw_closing, draw_neckline, draw_neckwear, draw_waist_wear
from backend.training.synthetic.tall.identity import TallPose


def draw_body_folds(sheet: Sheet, who: Identity, pose: TallPose, f: BodyShape, base: int, seed: int) -> None:
    """Creases at armpits, bust and waist.  base: index of the garment.  seed: added to the seed of the character."""
    rng = np.random.default_rng(who.shape_seed + seed)
    line, drop = who.line_width, f.waist - f.shoulder
    x = front_middle(f, pose, f.shoulder + 1)
    for side in (-1, 1):
        arm = np.array([f.spine_x(f.shoulder) + side * f.ws * 0.82, f.shoulder + 0.38 * drop])
        for _ in range(int(rng.integers(1, 4))):
            end = arm + [-side * rng.uniform(0.2, 0.6), rng.uniform(-0.25, 0.25)]
            sheet.stroke(bezier(arm, (arm + end) / 2 + [0, 0.06], end), line * rng.uniform(0.4, 0.7), base)
        if who.traits["female"] == "yes" and rng.random() < 0.8:
            y = f.shoulder + 0.56 * drop
            a = (x + side * f.ws * 0.66, y - 0.1)
            sheet.stroke(
                bezier(a, (x + side * f.ws * 0.45, y + 0.16), (x + side * f.ws * 0.16, y + 0.04)),
                line * rng.uniform(0.4, 0.8),
                base,
            )
        for _ in range(int(rng.integers(1, 5))):
            y = f.waist + rng.uniform(-0.55, 0.1)
            a = (f.spine_x(y) + side * f.ww * 1.05, y)
            sheet.stroke(
                bezier(a, (a[0] - side * 0.25, y + 0.08), (a[0] - side * rng.uniform(0.35, 0.7), y + rng.uniform(-0.05, 0.3))),
                line * rng.uniform(0.35, 0.7),
                base,
            )


def draw_upper_body(sheet: Sheet, who: Identity, pose: TallPose, f: BodyShape) -> None:
    """Everything worn on the trunk, and the skirt."""
    kind, line, n = who.traits["outfit"], who.line_width, who.measures
    boxy, loose, bust = {"sweater": 0.6, "tunic": 0.35, "jacket": 0.35}.get(kind, 0.12), n["loose"], n["bust"]
    high = f.shoulder - (0.1 if who.traits["neckline"] == "square" else 0.28)
    if kind == "dress":
        top = f.waist if n["curl"] > -0.2 else f.shoulder + 0.62 * (f.waist - f.shoulder)
        draw_skirt(sheet, who, pose, f, "bottom" if n["side"] > 2.0 else "top", top)
        base = sheet.fill(trunk_outline(f, bust, high, top + 0.06, loose * 0.5), "top", line)
        low = top
    else:
        if who.traits["bottom"] == "skirt":
            draw_skirt(sheet, who, pose, f, "bottom", f.waist - 0.02)
        low = {"blouse": f.waist + 0.15, "school": f.waist + 0.2}.get(
            kind, f.waist + (f.hip - f.waist) * (0.35 + 0.6 * n["hem"])
        )
        inner = kind in ("cardigan", "jacket")
        end = f.waist + 0.2 if inner else low
        base = sheet.fill(
            trunk_outline(f, bust, high, end, loose * (0.4 if inner else 1), 0.0 if inner else boxy),
            "shirt" if inner else "top",
            line,
        )
    if kind not in ("cardigan", "jacket"):
        draw_pattern(sheet, who, base, "top")
        draw_body_folds(sheet, who, pose, f, base, 51)
        draw_closing(sheet, who, pose, f, base, low)
    if kind == "sweater" and n["hem"] > 0.4:
        sheet.fill(
            join(
                bezier((-f.wh * 1.3, low - 0.28), (0, low - 0.1), (f.wh * 1.3, low - 0.28)),
                (f.wh * 1.3, low + 0.4),
                (-f.wh * 1.3, low + 0.4),
            ),
            "trim",
            line,
            clip=base,
        )
    draw_neckline(sheet, who, pose, f, "shirt" if kind in ("cardigan", "jacket") else "top")
    draw_waist_wear(sheet, who, pose, f)
    if kind in ("cardigan", "jacket"):
        draw_open_jacket(sheet, who, pose, f, low)
    elif kind == "school":
        draw_sailor_collar(sheet, who, pose, f)
    draw_neckwear(sheet, who, pose, f)


def draw_open_jacket(sheet: Sheet, who: Identity, pose: TallPose, f: BodyShape, low: float) -> None:
    """An open cardigan or jacket over the shirt.  low: its lower edge."""
    n, line = who.measures, who.line_width
    whole = trunk_outline(f, n["bust"], f.shoulder - 0.2, low + 0.2, 0.1 + n["loose"], 0.3)
    closed = 0.1 + 0.35 * n["depth"]
    for side in (-1, 1):
        panel = whole[(whole[:, 0] - f.spine_x(f.waist)) * side > 0.02]
        order = panel[np.argsort(panel[:, 1], kind="stable")]
        order = order[(order[:, 0] - f.spine_x(f.shoulder)) * side > 0.26]
        xs = [front_middle(f, pose, y) for y in (f.shoulder + 0.7, f.waist - 0.4, low)]
        foot = float(order[-1, 1])
        edge = smooth(
            [
                (f.spine_x(f.shoulder) + side * 0.36, f.shoulder - 0.3),
                (xs[0] + side * (closed * 0.7 + 0.12), f.shoulder + 0.7),
                (xs[1] + side * closed * 0.6, f.waist - 0.4),
                (xs[2] + side * (closed + 0.2), foot),
            ],
            closed=False,
            steps=5,
        )
        base = sheet.fill(join(edge, order[::-1]), "top", line)
        draw_pattern(sheet, who, base, "top")
        draw_body_folds(sheet, who, pose, f, base, 52)
        if who.traits["cuffs"] == "cuffs":
            sheet.fill(join(edge, edge[::-1] + [side * 0.16, 0]), "trim", line * 0.8, clip=base)
        if who.traits["outfit"] == "jacket":
            tip = (xs[0] + side * 0.62, f.shoulder + 0.55)
            sheet.fill(
                join(
                    (f.spine_x(f.shoulder) + side * 0.34, f.shoulder - 0.34),
                    tip,
                    (xs[0] + side * 0.4, f.shoulder + 0.68),
                    (xs[1] + side * closed * 0.6, f.waist - 0.6),
                ),
                "top",
                line,
            )


def draw_sailor_collar(sheet: Sheet, who: Identity, pose: TallPose, f: BodyShape) -> None:
    """A sailor collar with a stripe."""
    x, xm, line = f.spine_x(f.shoulder), front_middle(f, pose, f.shoulder + 1), who.line_width
    for side in (-1, 1):
        base = sheet.fill(
            join(
                (xm, f.shoulder + 1.0),
                (x + side * f.ws * 0.78, f.shoulder + 0.42),
                (x + side * f.ws * 0.74, f.shoulder - 0.02),
                (x + side * 0.36, f.shoulder - 0.36),
                (x + side * 0.26, f.shoulder - 0.05),
            ),
            "accent",
            line,
        )
        sheet.fill(
            tube(
                [
                    (xm, f.shoulder + 0.82),
                    (x + side * f.ws * 0.66, f.shoulder + 0.34),
                    (x + side * f.ws * 0.64, f.shoulder - 0.1),
                ],
                (0.035, 0.035, 0.035),
                2,
            ),
            "white",
            line * 0.5,
            clip=base,
        )
