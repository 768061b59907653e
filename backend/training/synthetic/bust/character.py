"""A whole drawn character: its parts in the order in which they cover one another."""

import numpy as np

from backend.training.synthetic.bust.bodies import BodyShape, body_shape, draw_folds, draw_skirt, torso_outline
from backend.training.synthetic.bust.clothes import draw_collar, draw_top, draw_waist_wear
from backend.training.synthetic.bust.hair import draw_back_hair, draw_front_hair
from backend.training.synthetic.bust.heads import draw_face
from backend.training.synthetic.bust.headwear import draw_headwear
from backend.training.synthetic.bust.identity import Identity, Pose
from backend.training.synthetic.bust.limbs import draw_arm, draw_legs
from backend.training.synthetic.render.canvas import Sheet
from backend.training.synthetic.render.curves import bezier, join, smooth, tube


def draw_behind_body(sheet: Sheet, who: Identity, pose: Pose, f: BodyShape) -> None:
    """What lies behind the body: cape, tail and bag."""
    line, x = who.line_width, f.spine_x(f.hip)
    if who.traits["cape"] == "cape":
        low, wide = f.hip + f.leg * 0.6 * who.measures["hem"] + 0.6, f.ws * 1.5
        base = sheet.fill(
            join(
                bezier((f.spine_x(f.shoulder) + f.ws * 0.9, f.shoulder), (x + wide, f.waist), (x + wide + pose.sway, low)),
                bezier((x + wide + pose.sway, low), (x, low + 0.35), (x - wide + pose.sway, low)),
                bezier((x - wide + pose.sway, low), (x - wide, f.waist), (f.spine_x(f.shoulder) - f.ws * 0.9, f.shoulder)),
            ),
            "accent",
            line,
        )
        draw_folds(
            sheet,
            who,
            base,
            [
                ((x + wide * 0.8, f.waist), (x + wide * 0.9 + pose.sway, low)),
                ((x - wide * 0.8, f.waist), (x - wide * 0.9 + pose.sway, low)),
            ],
        )
    if who.traits["tail"] == "yes":
        sheet.fill(
            tube([(x, f.hip), (x + 1.4 + pose.sway, f.hip + 0.6), (x + 1.9 + pose.sway, f.hip - 0.6)], (0.12, 0.2, 0.14)),
            "hair",
            line,
        )
    if who.traits["bag"] == "yes":
        sheet.fill(
            smooth(
                [
                    (x - f.ws - 0.3, f.shoulder + 0.1),
                    (x + f.ws + 0.3, f.shoulder + 0.1),
                    (x + f.ws + 0.35, f.waist + 0.3),
                    (x - f.ws - 0.35, f.waist + 0.3),
                ],
                steps=5,
            ),
            "leather",
            line,
        )


def draw_character(who: Identity, pose: Pose) -> Sheet:
    """The whole character in drawing units, with the center of the head at (0, 0)."""
    sheet, f = Sheet(), body_shape(who, pose)
    draw_behind_body(sheet, who, pose, f)
    start = len(sheet.items)
    draw_back_hair(sheet, who, pose)
    tilt_head(sheet, start, pose)
    if who.traits["hat"] == "hood" or who.traits["top"] == "hoodie":
        x = f.spine_x(f.shoulder)
        sheet.fill(
            smooth([(x - 0.8, f.shoulder - 0.1), (x - 0.7, 0.7), (x + 0.7, 0.7), (x + 0.8, f.shoulder - 0.1)], steps=5),
            "top",
            who.line_width,
        )
    # The arm on the far side of a turned body is covered by it.
    back_arm = -1 if pose.yaw > 0 else 1
    if abs(pose.yaw) > 0.35:
        draw_arm(sheet, who, pose, f, back_arm)
    draw_legs(sheet, who, pose, f)
    thick = 0.3 * (0.8 + 0.2 * who.measures["body"])
    sheet.fill(torso_outline(f, 1.0), "skin" if who.traits["bottom"] == "skirt" else "bottom", who.line_width)
    sheet.fill(tube([(0, 0.6), (f.spine_x(f.shoulder), f.shoulder + 0.05)], (thick, thick * 1.1), 3), "skin", who.line_width)
    # A top covers a skirt; a dress or a robe has the skirt over its own waist.
    if who.traits["top"] not in ("dress", "robe") and who.traits["bottom"] == "skirt":
        draw_skirt(sheet, who, pose, f, "bottom")
    draw_top(sheet, who, f)
    if who.traits["top"] in ("dress", "robe"):
        draw_skirt(sheet, who, pose, f, "top")
    draw_waist_wear(sheet, who, f)
    draw_collar(sheet, who, f)
    for side in (-1, 1):
        if abs(pose.yaw) <= 0.35 or side != back_arm:
            draw_arm(sheet, who, pose, f, side)
    start = len(sheet.items)
    draw_face(sheet, who, pose)
    draw_front_hair(sheet, who, pose)
    draw_headwear(sheet, who, pose)
    tilt_head(sheet, start, pose)
    return sheet


def tilt_head(sheet: Sheet, start: int, pose: Pose) -> None:
    """Tilt all items from index `start` on about the base of the neck."""
    c, s = np.cos(pose.tilt), np.sin(pose.tilt)
    turn = np.array([[c, -s], [s, c]])
    pivot = np.array([0.0, 0.95])
    sheet.transform(start, np.column_stack([turn, pivot - turn @ pivot]))
