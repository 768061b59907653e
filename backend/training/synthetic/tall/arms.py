"""Arms and sleeves of tall characters: at the sides, crossed, behind the back, on the hip, at the chest, with a book."""

import numpy as np

from backend.training.synthetic.bust.bodies import BodyShape, draw_pattern
from backend.training.synthetic.bust.identity import Identity
from backend.training.synthetic.render.canvas import Sheet
from backend.training.synthetic.render.curves import Points, bezier, smooth, tube
from backend.training.synthetic.tall.identity import TallPose

BEHIND = ("back",)
"""Poses that are drawn before the trunk, which covers them."""


def arm_joints(f: BodyShape, pose: TallPose, side: int) -> Points:
    """Shoulder, elbow and wrist, (3, 2).  side: -1 left, 1 right."""
    k = 0 if side < 0 else 1
    kind, jitter, a = pose.arms[k], pose.jitter[k], f.arm
    shoulder = np.array([f.spine_x(f.shoulder) + side * f.ws * 0.84, f.shoulder + 0.3])
    drop = f.waist - f.shoulder
    elbows = {
        "hang": (0.3, 0.97),
        "back": (0.36, 0.95),
        "hip": (1.0, 0.8),
        "chest": (0.3, 0.93),
        "front": (0.42, 0.94),
        "raised": (0.9, 0.4),
        "cheek": (0.3, 0.92),
        "crossed": (0.22, 0.9),
        "book": (0.3, 0.92),
    }
    ex, ey = elbows[kind]
    elbow = shoulder + [side * ex, a * ey]
    wrists = {
        "hang": elbow + [side * 0.04, a * 0.92],
        "back": np.array([side * 0.1, f.waist + 0.5]),
        "hip": np.array([side * (f.ww + 0.18), f.waist + 0.35]),
        "chest": np.array([side * 0.28, f.shoulder + 0.5 * drop]),
        "front": np.array([side * 0.26, f.hip - 0.15]),
        "raised": elbow + [side * 0.3, -a * 0.86],
        "cheek": np.array([side * 0.62, 1.1]),
        "crossed": np.array([-side * (0.5 if side > 0 else 0.8) * f.ws, f.waist - 0.5 * drop + (0.12 if side > 0 else 0.3)]),
        "book": np.array([-side * 0.2, f.waist - 0.42 * drop + (0.0 if side > 0 else 0.5)]),
    }
    wrist = wrists[kind] + [f.spine_x(float(wrists[kind][1])) if kind != "hang" else 0.0, 0.0]
    return np.stack([shoulder, elbow + jitter[0], wrist + jitter[1] * 0.6])


def elbow_cosine(points: Points) -> float:
    """Cosine of the angle by which a limb turns at its middle joint; 1 = straight."""
    u, v = points[1] - points[0], points[2] - points[1]
    return float(u @ v / max(float(np.linalg.norm(u) * np.linalg.norm(v)), 1e-6))


def unit_direction(a: Points, b: Points) -> Points:
    """Direction from a to b, of length 1."""
    return (b - a) / max(float(np.linalg.norm(b - a)), 1e-6)


def round_tube(points: Points, widths: tuple[float, ...], steps: int) -> Points:
    """Outline of a tube with a round start; see ``tube``."""
    outline = tube(points, widths, steps)
    middle, arm = (outline[0] + outline[-1]) / 2, (outline[-1] - outline[0]) / 2
    back = unit_direction(points[1], points[0]) * float(np.linalg.norm(arm))
    t = np.linspace(0, np.pi, 8)[1:-1, None]
    return np.vstack([outline, middle + arm * np.cos(t) + back * np.sin(t)])


def draw_limb(sheet: Sheet, points: Points, widths: tuple[float, float, float], material: str, line: float) -> list[int]:
    """Draw a limb in one piece, or in two where the joint bends so far that one outline would intersect itself.

    points: its three joints.  widths: half widths at these.  Returns the indices of the pieces.
    """
    if elbow_cosine(points) > 0.45:
        return [sheet.fill(round_tube(points, widths, 6), material, line)]
    a, b, c = widths
    upper = round_tube(np.stack([points[1], (points[0] + points[1]) / 2, points[0]]), (b, (a + b) / 2, a), 4)
    lower = round_tube(np.stack([points[1], (points[1] + points[2]) / 2, points[2]]), (b * 0.95, (b + c) / 2, c), 4)
    return [sheet.fill(upper, material, line), sheet.fill(lower, material, line)]


def draw_hand(sheet: Sheet, points: Points, w: float, kind: str, side: int, line: float) -> None:
    """A hand: a mitten with strokes between the fingers, and a thumb.

    points: joints of the arm.  w: half width of the wrist.  kind: pose of the arm.
    """
    out = points[2] - points[1]
    out = out / max(float(np.linalg.norm(out)), 1e-6)
    # A hand that rests on something does not go on in the direction of its forearm.
    if kind == "hip":
        out = np.array([-side * 0.75, 0.66])
    elif kind in ("cheek", "chest"):
        out = out * 0.6 + np.array([-side * 0.3, -0.7])
        out = out / float(np.linalg.norm(out))
    across = np.array([-out[1], out[0]])
    wrist = points[2]
    palm = wrist + out * w * 1.1
    hand = sheet.fill(
        smooth(
            [
                wrist - across * w * 0.62,
                palm - across * w * 0.85,
                palm + out * w * 1.0 - across * w * 0.6,
                palm + out * w * 1.45 - across * w * 0.1,
                palm + out * w * 1.25 + across * w * 0.45,
                palm + across * w * 0.85,
                wrist + across * w * 0.62,
            ],
            steps=4,
        ),
        "skin",
        line,
    )
    for k in (-0.35, 0.0, 0.35):
        sheet.stroke(
            np.stack([palm + across * w * k + out * w * 0.4, palm + across * w * k * 0.9 + out * w * 1.3]), line * 0.5, hand
        )
    sheet.fill(
        tube(
            [wrist + across * side * w * 0.45, palm + across * side * w * 1.1, palm + across * side * w * 1.0 + out * w * 0.55],
            (w * 0.24, w * 0.24, w * 0.12),
            4,
        ),
        "skin",
        line,
    )


def limb_start(points: Points, share: float) -> Points:
    """The first `share` (0..1) of a limb, as three points."""
    if share <= 0.5:
        stop = points[0] + (points[1] - points[0]) * share * 2
        return np.stack([points[0], (points[0] + stop) / 2, stop])
    return np.stack([points[0], points[1], points[1] + (points[2] - points[1]) * (share - 0.5) * 2])


def draw_sleeve(sheet: Sheet, who: Identity, points: Points, w: float) -> None:
    """Puff, short, elbow, long or bell sleeve, with folds and cuff.  points: joints of the arm.  w: its half width."""
    kind, line = who.traits["sleeve"], who.line_width
    if who.traits["outfit"] in ("jacket", "cardigan"):
        kind = "long" if kind in ("none", "puff", "short") else kind
    if kind == "none":
        return
    rng = np.random.default_rng(who.shape_seed + 21)
    material = "shirt" if who.traits["outfit"] == "tunic" and kind in ("long", "elbow") else "top"
    share = {"puff": 0.27, "short": 0.26, "elbow": 0.46, "long": 0.94, "bell": 0.86}[kind] * rng.uniform(0.92, 1.06)
    piece = limb_start(points, min(share, 0.97))
    ease = 1.12 + 2 * who.measures["loose"]
    widths = {
        "puff": (w * 1.15, w * rng.uniform(1.8, 2.3), w * 1.25),
        "short": (w * 1.18, w * 1.3 * ease, w * 1.4 * ease),
        "elbow": (w * 1.18, w * 1.2 * ease, w * 1.2 * ease),
        "long": (w * 1.2, w * 1.1 * ease, w * 0.95 * ease),
        "bell": (w * 1.2, w * 1.15, w * rng.uniform(1.7, 2.4)),
    }[kind]
    pieces = draw_limb(sheet, piece, widths, material, line)
    for base in pieces:
        draw_pattern(sheet, who, base, "top")
    base = pieces[-1]
    end = piece[2]
    along = piece[2] - piece[1]
    along = along / max(float(np.linalg.norm(along)), 1e-6)
    across = np.array([-along[1], along[0]])
    if who.traits["cuffs"] == "cuffs" or kind == "puff":
        deep = w * rng.uniform(0.5, 1.0)
        wide = widths[2] * (1.06 if kind != "puff" else 0.96)
        sheet.fill(tube([end - along * deep * 0.5, end + along * deep * 0.5], (wide, wide), 2), "trim", line)
    count = int(rng.integers(2, 6))
    if kind == "puff":
        for k in np.linspace(-0.6, 0.6, count):
            sheet.stroke(
                bezier(
                    end + across * k * widths[2],
                    end - along * w * 0.7 + across * k * widths[1],
                    end - along * w * 1.5 + across * k * widths[1] * 0.8,
                ),
                line * 0.6,
                base,
            )
    elif len(pieces) == 1 and kind in ("long", "bell"):
        for _ in range(count):
            at = points[1] + (points[1] - points[0]) * rng.uniform(-0.12, 0.1)
            lead = 1 if rng.random() < 0.5 else -1
            sheet.stroke(
                bezier(
                    at - across * w * 1.1 * lead,
                    at - across * w * 0.4 * lead + along * 0.1,
                    at + across * w * rng.uniform(0.1, 0.6) * lead + along * 0.22,
                ),
                line * 0.55,
                base,
            )
    else:
        for _ in range(count):
            at = piece[1] + along * rng.uniform(-0.1, 0.5)
            sheet.stroke(
                bezier(at - across * w * 1.2, at - across * w * 0.4 + along * 0.08, at + across * w * rng.uniform(-0.1, 0.5)),
                line * 0.55,
                base,
            )


def draw_tall_arm(sheet: Sheet, who: Identity, pose: TallPose, f: BodyShape, side: int) -> None:
    """Arm, hand and sleeve; side: -1 left, 1 right."""
    w, line = who.measures["arm"], who.line_width
    points = arm_joints(f, pose, side)
    kind = pose.arms[0 if side < 0 else 1]
    draw_limb(sheet, points, (w * 0.98, w * 0.88, w * 0.62), "skin", line)
    hidden = kind == "crossed" and side < 0
    if not hidden:
        draw_hand(sheet, points, w * 0.8, kind, side, line)
    if who.traits["bracelet"] == "yes" and side > 0:
        v = (points[2] - points[1]) / max(float(np.linalg.norm(points[2] - points[1])), 1e-6)
        at = points[2] - v * 0.12
        sheet.fill(tube([at - v * 0.07, at + v * 0.07], (w * 0.74, w * 0.72), 2), "accent", line)
    draw_sleeve(sheet, who, points, w)


def draw_book(sheet: Sheet, who: Identity, f: BodyShape) -> None:
    """The book that the arms hold before the chest."""
    x, y = f.spine_x(f.waist), f.waist - 0.48 * (f.waist - f.shoulder)
    turn = np.random.default_rng(who.shape_seed + 22).uniform(-0.2, 0.2)
    c, s = np.cos(turn), np.sin(turn)
    corners = np.array([[-0.62, -0.72], [0.62, -0.72], [0.62, 0.8], [-0.62, 0.8]]) @ np.array([[c, s], [-s, c]]) + [x, y]
    base = sheet.fill(corners, "prop", who.line_width)
    inner = (corners - corners.mean(0)) * 0.8 + corners.mean(0)
    sheet.stroke(np.vstack([inner, inner[:1]]), who.line_width * 0.6, base)
