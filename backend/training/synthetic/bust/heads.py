"""Faces: everything between the neck and the hair.  The head has its center at (0, 0) and a half width of about 1."""

import numpy as np

from backend.training.synthetic.bust.identity import Identity, Pose
from backend.training.synthetic.render.canvas import Sheet
from backend.training.synthetic.render.curves import Points, bezier, ellipse, join, rotate_and_shift, smooth

MAX_HEAD_TURN = 0.62
"""Turn of the head at yaw 1, radians."""


def project_face_point(x: float, y: float, pose: Pose, depth: float = 0.0) -> tuple[float, float]:
    """Where a point of the face appears when the head is turned; `depth` lifts it off the face (nose)."""
    z = 0.9 * np.sqrt(max(0.0, 1 - (x / 1.1) ** 2)) + depth
    angle = pose.yaw * MAX_HEAD_TURN
    return float(x * np.cos(angle) + z * np.sin(angle)), y


def face_outline(who: Identity, pose: Pose) -> Points:
    """Outline of skull, cheeks and jaw."""
    w, chin, jaw = who.measures["face_w"], who.measures["chin"], who.measures["jaw"]
    s = np.sin(pose.yaw * MAX_HEAD_TURN)
    knots = [
        (0, -1.0),
        (0.62 * w, -0.86),
        (0.95 * w, -0.4),
        (0.97 * w, 0.1),
        (0.9 * w, 0.42),
        (jaw * w * 0.95 + 0.06, 0.74 * chin),
        (0.16 + 0.2 * jaw, 0.98 * chin),
        (0, 1.03 * chin),
    ]
    right = [(x + s * (0.12 if y < 0.2 else 0.2 + 0.22 * (y - 0.2)), y) for x, y in knots]
    left = [(-x + s * (0.12 if y < 0.2 else 0.2 + 0.22 * (y - 0.2)), y) for x, y in knots[-2:0:-1]]
    # The far cheek recedes a little when the head turns.
    far = [(x * (1 - 0.1 * abs(s)) if x * s > 0 and y > 0 else x, y) for x, y in right + left]
    return smooth(far, steps=5)


def draw_ears(sheet: Sheet, who: Identity, pose: Pose) -> None:
    """Human or pointed ears; cat ears are drawn above the hair, in ``headwear``."""
    kind = who.traits["ears"]
    if kind not in ("human", "elf"):
        return
    for side in (-1, 1):
        if side * pose.yaw > 0.65:
            continue
        x = side * 0.96 * who.measures["face_w"] - 0.22 * np.sin(pose.yaw * MAX_HEAD_TURN)
        if kind == "human":
            outline = ellipse(x, 0.22, 0.17, 0.26, -side * 0.25)
        else:
            outline = join(
                bezier((x - side * 0.1, 0.0), (x + side * 0.5, -0.15), (x + side * 0.75, -0.3)),
                bezier((x + side * 0.75, -0.3), (x + side * 0.4, 0.35), (x - side * 0.08, 0.45)),
            )
        base = sheet.fill(outline, "skin", who.line_width)
        sheet.stroke(
            bezier((x + side * 0.06, 0.08), (x - side * 0.06, 0.2), (x + side * 0.02, 0.32)), who.line_width * 0.6, base
        )


def draw_eye(sheet: Sheet, who: Identity, pose: Pose, side: int) -> None:
    """One eye with lashes, iris and brow; side: -1 left, 1 right."""
    w = who.measures["eye_w"] * (1 - 0.28 * max(0.0, side * pose.yaw))
    h = who.measures["eye_h"] * (0.55 if pose.eyes == "half" else 1.0)
    x, y = project_face_point(side * who.measures["eye_x"], who.measures["eye_y"], pose)
    line = who.line_width
    shut = pose.eyes in ("closed", "happy") or (pose.eyes == "wink" and side > 0)
    if shut:
        sag = 0.5 * h if pose.eyes == "closed" else -0.7 * h
        sheet.stroke(bezier((x - w, y + 0.08), (x, y + 0.08 + sag), (x + w, y + 0.08), 10), line * 1.5)
    elif who.traits["eyes"] == "dot":
        sheet.fill(ellipse(x, y, w * 0.5, h * 0.75), "ink", line * 0.3, solid=True)
    else:
        outer = {"tall": 0.92, "round": 1.0, "narrow": 1.15}[who.traits["eyes"]]
        squash = {"tall": 1.0, "round": 0.95, "narrow": 0.6}[who.traits["eyes"]]
        hh = h * squash
        a, b = np.array([x - side * w, y - 0.1 * hh]), np.array([x + side * w * outer, y - 0.05 * hh])
        top = bezier(a, (x, y - 1.55 * hh), b, 10)
        white = join(top, bezier(b, (x, y + 1.75 * hh), a, 10))
        base = sheet.fill(white, "eye", line * 0.4)
        gx, gy = pose.gaze[0] * 0.18 * w, pose.gaze[1] * 0.12 * hh
        ix, iy, rx, ry = x + gx, y + gy, min(w * 0.66, hh * 0.95), hh * 0.82
        sheet.fill(ellipse(ix, iy, rx, ry), "iris", line * 0.6, clip=base)
        if who.traits["iris"] == "two":
            sheet.fill(ellipse(ix, iy - ry * 0.55, rx * 1.1, ry * 0.62), "iris_dark", 0, clip=base)
        elif who.traits["iris"] == "ring":
            sheet.fill(ellipse(ix, iy + ry * 0.45, rx * 0.7, ry * 0.4), "iris_light", 0, clip=base)
        sheet.fill(ellipse(ix, iy, rx * 0.42, ry * 0.48), "ink", 0, clip=base, solid=True)
        glint = -0.4 if pose.gaze[0] < 0 else 0.4
        sheet.fill(ellipse(ix + glint * rx, iy - 0.42 * ry, rx * 0.3, ry * 0.26), "white", line * 0.3, clip=base)
        lash = join(top, bezier(b + [side * 0.07, 0.02], (x, y - 1.55 * hh - 0.16), a - [side * 0.02, 0.0], 10))
        sheet.fill(lash, "ink", line * 0.5, solid=True)
    lift = who.measures["eye_h"] + 0.2
    bx, by = project_face_point(side * (who.measures["eye_x"] + 0.02), who.measures["eye_y"] - lift, pose)
    slope = pose.brows * 0.12 * side
    a, c, b = (bx - side * w, by + slope * side), (bx, by - 0.12), (bx + side * w * 1.1, by - slope * side + 0.04)
    thick = who.measures["brow"]
    sheet.fill(join(bezier(a, c, b, 8), bezier(b, (c[0], c[1] + thick * 1.6), (a[0], a[1] + thick), 8)), "brow", line * 0.4)


def draw_mouth(sheet: Sheet, who: Identity, pose: Pose) -> None:
    """A line, a smile or an open mouth."""
    x, y = project_face_point(0.0, 0.66 * who.measures["chin"], pose, 0.05)
    w, line = 0.2 * (1 - 0.3 * abs(pose.yaw)), who.line_width
    if pose.mouth == "open":
        base = sheet.fill(
            join(
                bezier((x - w, y - 0.06), (x, y - 0.02), (x + w, y - 0.06)),
                bezier((x + w, y - 0.06), (x, y + 0.4), (x - w, y - 0.06)),
            ),
            "mouth",
            line * 0.8,
        )
        sheet.fill(ellipse(x, y + 0.2, w * 0.6, 0.12), "tongue", line * 0.3, clip=base)
        sheet.fill(
            join((x - w, y - 0.08), (x + w, y - 0.08), (x + w * 0.7, y + 0.0), (x - w * 0.7, y + 0.0)),
            "white",
            line * 0.3,
            clip=base,
        )
    elif pose.mouth == "o":
        sheet.fill(ellipse(x, y + 0.04, w * 0.4, 0.1), "mouth", line * 0.8)
    else:
        sag = {"line": 0.02, "smile": 0.16, "frown": -0.12}[pose.mouth]
        sheet.stroke(bezier((x - w, y), (x, y + sag), (x + w, y), 9), line)


def draw_nose(sheet: Sheet, who: Identity, pose: Pose) -> None:
    """The nose as a tick, a dot, a line of the profile or a curve."""
    x, y = project_face_point(0.0, 0.44, pose, 0.12)
    n, line = who.measures["nose"], who.line_width * 0.8
    lead = 1.0 if pose.yaw >= 0 else -1.0
    if who.traits["nose"] == "dot":
        sheet.stroke(np.array([[x, y], [x + 0.03, y + 0.01]]), line)
    elif who.traits["nose"] == "tick":
        sheet.stroke(bezier((x, y - n), (x + lead * n, y), (x - lead * 0.02, y + 0.03)), line)
    elif who.traits["nose"] == "side":
        sheet.stroke(bezier((x - lead * 0.02, y - 0.35), (x + lead * 0.06, y - 0.1), (x + lead * n, y), 8), line)
    else:
        sheet.stroke(bezier((x - n, y), (x, y + n * 1.4), (x + n, y), 8), line)


def draw_face(sheet: Sheet, who: Identity, pose: Pose) -> None:
    """Ears, face, blush, freckles, beard, mouth, nose, eyes and glasses."""
    draw_ears(sheet, who, pose)
    face = sheet.fill(face_outline(who, pose), "skin", who.line_width)
    if who.traits["blush"] == "yes":
        for side in (-1, 1):
            x, y = project_face_point(side * 0.55, 0.52, pose)
            sheet.fill(ellipse(x, y, 0.17, 0.1), "blush", 0, clip=face)
    if who.traits["freckles"] == "yes":
        for side in (-1, 1):
            for dx, dy in ((0, 0), (0.1, 0.04), (0.05, 0.1)):
                x, y = project_face_point(side * (0.48 + dx), 0.48 + dy, pose)
                sheet.stroke(np.array([[x, y], [x + 0.02, y]]), who.line_width * 0.7, face)
    if who.traits["beard"] == "yes":
        low = face_outline(who, pose)
        low = low[low[:, 1] > 0.35]
        x, y = project_face_point(0.0, 0.56, pose)
        beard = join(
            low * [1.03, 1.12],
            bezier((low[-1][0], 0.35), (x - 0.3, y), (x, y - 0.02)),
            bezier((x, y - 0.02), (x + 0.3, y), (low[0][0], 0.35)),
        )
        sheet.fill(beard, "hair", who.line_width)
    draw_mouth(sheet, who, pose)
    draw_nose(sheet, who, pose)
    for side in (-1, 1):
        draw_eye(sheet, who, pose, side)
    if who.traits["glasses"] != "none":
        for side in (-1, 1):
            x, y = project_face_point(side * who.measures["eye_x"], who.measures["eye_y"] + 0.03, pose, 0.05)
            r = max(0.3, who.measures["eye_w"] * 1.2)
            ring = (
                ellipse(x, y, r, r * 0.95)
                if who.traits["glasses"] == "round"
                else rotate_and_shift(
                    smooth([(-r, -r * 0.7), (r, -r * 0.7), (r * 0.9, r * 0.8), (-r * 0.9, r * 0.8)], steps=5), x, y
                )
            )
            sheet.stroke(join(ring, ring[:1]), who.line_width * 1.3)
        x0, y0 = project_face_point(-0.12, who.measures["eye_y"], pose, 0.08)
        x1, _ = project_face_point(0.12, who.measures["eye_y"], pose, 0.08)
        sheet.stroke(np.array([[x0, y0], [x1, y0]]), who.line_width * 1.2)
