"""What is worn on the torso, around the neck and at the waist."""

import numpy as np

from backend.training.synthetic.bust.bodies import BodyShape, draw_bow_at_neck, draw_folds, draw_pattern, torso_outline
from backend.training.synthetic.bust.identity import Identity
from backend.training.synthetic.render.canvas import Sheet
from backend.training.synthetic.render.curves import bezier, ellipse, join, smooth, tube


def draw_top(sheet: Sheet, who: Identity, f: BodyShape) -> None:
    """The garment that covers the torso."""
    kind, line, x = who.traits["top"], who.line_width, f.spine_x(f.shoulder + 0.5)
    long = {"shirt": 0.7, "jacket": 1.1, "dress": 0.3, "vest": 0.7, "hoodie": 1.1, "sailor": 0.6, "robe": 1.0, "armor": 0.6}[
        kind
    ]
    if kind in ("jacket", "vest", "armor"):
        # What is open in front shows a shirt, so that is drawn first.
        shirt = sheet.fill(torso_outline(f, 0.7), "shirt", line)
        draw_folds(sheet, who, shirt, [((x, f.shoulder + 0.4), (x + 0.03, f.waist))])
        gap = 0.16 + 0.3 * who.measures["collar"]
        whole = torso_outline(f, long, 1.05, 1.05)
        bottom = float(whole[:, 1].max()) + 0.2
        if kind == "armor":
            plate = sheet.fill(torso_outline(f, 0.1, 1.06), "metal", line)
            sheet.stroke(
                bezier((x - f.ws * 0.7, f.shoulder + 0.75), (x, f.shoulder + 1.15), (x + f.ws * 0.7, f.shoulder + 0.75)),
                line,
                plate,
            )
        else:
            for side in (-1, 1):
                panel = whole[(whole[:, 0] - x) * side > 0]
                order = panel[np.argsort(panel[:, 1], kind="stable")]
                edge = join(
                    bezier(
                        (x + side * 0.28, f.shoulder - 0.2),
                        (x + side * gap * 0.5, f.shoulder + 0.6),
                        (x + side * gap, bottom),
                        8,
                    )
                )
                base = sheet.fill(join(order, edge[::-1]), "top", line)
                draw_pattern(sheet, who, base, "top")
                lapel = join(
                    (x + side * 0.3, f.shoulder - 0.22),
                    (x + side * (gap + 0.42), f.shoulder + 0.4),
                    (x + side * gap * 0.6, f.shoulder + 0.95),
                )
                sheet.fill(lapel, "trim" if who.traits["cuffs"] == "cuffs" else "top", line, clip=base)
        return
    base = sheet.fill(torso_outline(f, long, 1.03, 1.0 if kind != "robe" else 1.3), "top", line)
    draw_pattern(sheet, who, base, "top")
    draw_folds(
        sheet,
        who,
        base,
        [
            ((x - f.ww, f.waist - 0.3), (x - f.ww * 0.4, f.waist - 0.1)),
            ((x + f.ww, f.waist - 0.5), (x + f.ww * 0.5, f.waist - 0.25)),
            ((x - f.ws * 0.75, f.shoulder + 0.5), (x - f.ws * 0.5, f.shoulder + 0.8)),
        ],
    )
    if kind == "hoodie":
        y = f.waist + 0.1
        sheet.fill(
            smooth([(x - 0.5, y), (x + 0.5, y), (x + 0.66, y + 0.6), (x - 0.66, y + 0.6)], steps=4), "top", line, clip=base
        )
        for side in (-1, 1):
            sheet.fill(
                tube([(x + side * 0.2, f.shoulder), (x + side * 0.24, f.shoulder + 0.7)], (0.04, 0.04), 3), "trim", line * 0.8
            )
    elif kind == "sailor":
        for side in (-1, 1):
            sheet.fill(
                join(
                    (x, f.shoulder + 0.75),
                    (x + side * f.ws * 0.85, f.shoulder + 0.25),
                    (x + side * 0.4, f.shoulder - 0.25),
                    (x + side * 0.2, f.shoulder),
                ),
                "accent",
                line,
            )
    elif kind in ("shirt", "dress") and who.traits["cuffs"] == "cuffs":
        sheet.stroke(np.array([[x, f.shoulder], [f.spine_x(f.waist), f.waist + 0.2]]), line, base)
        for k in range(3):
            sheet.fill(ellipse(x + 0.1, f.shoulder + 0.3 + 0.4 * k, 0.06, 0.06, steps=10), "metal", line * 0.8)
    elif kind == "robe":
        edge = bezier((x - 0.35, f.shoulder - 0.2), (x, f.shoulder + 0.4), (x + f.ws * 0.6, f.waist), 9)
        sheet.fill(join(edge, edge[::-1] + [0.16, -0.1]), "trim", line, clip=base)


def draw_collar(sheet: Sheet, who: Identity, f: BodyShape) -> None:
    """The collar, and what is worn around the neck."""
    x, y, line, c = f.spine_x(f.shoulder), f.shoulder - 0.2, who.line_width, who.measures["collar"]
    material = "shirt" if who.traits["top"] in ("jacket", "vest") else ("trim" if who.traits["cuffs"] == "cuffs" else "top")
    kind = who.traits["collar"]
    if kind == "vee":
        base = sheet.fill(join((x - 0.34, y - 0.02), (x, y + 0.3 + c), (x + 0.34, y - 0.02)), "skin", line)
        sheet.stroke(np.array([[x, y + 0.2], [x, y + 0.1 + c]]), line * 0.5, base)
    elif kind == "turtle":
        sheet.fill(
            join(
                bezier((x - 0.36, y - 0.22), (x, y - 0.1), (x + 0.36, y - 0.22)),
                bezier((x + 0.44, y + 0.14), (x, y + 0.34), (x - 0.44, y + 0.14)),
            ),
            material,
            line,
        )
    elif kind in ("points", "round"):
        for side in (-1, 1):
            tip = (x + side * 0.3 * (1.4 if kind == "round" else 1), y + 0.2 + c * 0.5)
            a, b = (x + side * 0.4, y - 0.14), (x, y + 0.14)
            piece = join(a, tip, b) if kind == "points" else smooth([a, (a[0] + side * 0.2, y + 0.2), tip, b], steps=4)
            sheet.fill(piece, material, line)
    neck = who.traits["neck"]
    if neck == "tie":
        low = f.waist - 0.3 * who.measures["collar"]
        sheet.fill(
            join((x - 0.12, y + 0.34), (x + 0.12, y + 0.34), (x + 0.2, low), (x, low + 0.24), (x - 0.2, low)), "accent", line
        )
        sheet.fill(join((x - 0.16, y + 0.1), (x + 0.16, y + 0.1), (x + 0.1, y + 0.36), (x - 0.1, y + 0.36)), "accent", line)
    elif neck == "bow":
        draw_bow_at_neck(sheet, who, f)
    elif neck == "scarf":
        sheet.fill(tube([(x + 0.32, y + 0.2), (x + 0.4, y + 0.8), (x + 0.5, y + 1.5)], (0.16, 0.22, 0.24)), "bow", line)
        sheet.fill(
            join(
                bezier((x - 0.62, y - 0.14), (x, y + 0.1), (x + 0.62, y - 0.14)),
                bezier((x + 0.7, y + 0.26), (x, y + 0.62), (x - 0.7, y + 0.26)),
            ),
            "bow",
            line,
        )
    elif neck == "pendant":
        sheet.stroke(bezier((x - 0.36, y), (x, y + 1.1), (x + 0.36, y), 10), line * 0.7)
        sheet.fill(ellipse(x, y + 0.62, 0.11, 0.13), "metal", line)


def draw_waist_wear(sheet: Sheet, who: Identity, f: BodyShape) -> None:
    """Belt, sash or apron."""
    x, y, line = f.spine_x(f.waist), f.waist + 0.1, who.line_width
    if who.traits["apron"] == "yes":
        base = sheet.fill(
            smooth(
                [(x - 0.55, y - 0.1), (x + 0.55, y - 0.1), (x + f.wh, f.hip + f.leg * 0.35), (x - f.wh, f.hip + f.leg * 0.35)],
                steps=4,
            ),
            "white",
            line,
        )
        sheet.stroke(np.array([[x, y + 0.3], [x + 0.04, f.hip + 0.4]]), line * 0.7, base)
    if who.traits["belt"] == "none":
        return
    h = 0.13 if who.traits["belt"] == "belt" else 0.24
    w = f.ww * 1.1
    sheet.fill(
        join(
            bezier((x - w, y - h), (x, y - h + 0.1), (x + w, y - h)), bezier((x + w, y + h), (x, y + h + 0.1), (x - w, y + h))
        ),
        "leather" if who.traits["belt"] == "belt" else "accent",
        line,
    )
    if who.traits["belt"] == "belt":
        sheet.fill(
            np.array([[x - 0.16, y - 0.1], [x + 0.16, y - 0.1], [x + 0.16, y + 0.2], [x - 0.16, y + 0.2]]), "metal", line
        )
    else:
        sheet.fill(tube([(x + w * 0.6, y), (x + w * 0.8, y + 0.8), (x + w * 0.7, y + 1.5)], (0.1, 0.22, 0.26)), "accent", line)
