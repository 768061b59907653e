"""Hair behind the head and over the face."""

import numpy as np

from backend.training.synthetic.bust.heads import MAX_HEAD_TURN
from backend.training.synthetic.bust.identity import Identity, Pose
from backend.training.synthetic.render.canvas import Sheet
from backend.training.synthetic.render.curves import Points, bezier, ellipse, fringe, join, smooth, tube


def crown_arc(volume: float, shift: float, start: float = np.pi, stop: float = 0.0, drop: float = 0.0) -> Points:
    """The arc over the skull from the angle `start` (pi: left temple) to `stop` (0: right temple).

    volume: its radius.  shift, drop: of its center, to the right and down.
    """
    t = np.linspace(start, stop, 22)
    return np.stack([shift + volume * np.cos(t), -0.06 - (volume + 0.04) * np.sin(t) + drop], 1)


def hair_lock(root: tuple[float, float], tip: tuple[float, float], width: float, curl: float) -> Points:
    """One lock that tapers from root to tip.  curl: how far its middle is displaced, as a share of its length."""
    a, b = np.asarray(root), np.asarray(tip)
    d = (b - a) / max(float(np.linalg.norm(b - a)), 1e-6)
    n = np.array([-d[1], d[0]])
    middle = (a + b) / 2 + n * curl
    return join(bezier(a - n * width, middle - n * width * 1.1, b, 9), bezier(b, middle + n * width * 1.1, a + n * width, 9))


def draw_back_hair(sheet: Sheet, who: Identity, pose: Pose) -> None:
    """Draw the hair behind head and body."""
    rng = np.random.default_rng(who.shape_seed)
    v, length, line = who.measures["hair_volume"], who.measures["length"], who.line_width
    s = -0.18 * np.sin(pose.yaw * MAX_HEAD_TURN)
    kind = who.traits["back"]
    if kind == "bald":
        return
    if kind in ("tails", "pony", "bun"):
        # What is tied up is drawn first, and the short hair of the head over its roots.
        sides = (-1, 1) if kind == "tails" else (1,)
        high = rng.uniform(-0.9, 0.2)
        for side in sides:
            root = np.array([side * (1.0 if kind == "tails" else 0.55) + s * 2, high])
            if kind == "bun":
                r = rng.uniform(0.4, 0.62)
                bun = sheet.fill(ellipse(root[0] * 0.4, -1.25, r * 1.1, r), "hair", line)
                sheet.stroke(
                    bezier((root[0] * 0.4 - r * 0.5, -1.1), (root[0] * 0.4, -1.5), (root[0] * 0.4 + r * 0.6, -1.3)),
                    line * 0.7,
                    bun,
                )
                continue
            wide = rng.uniform(0.28, 0.5)
            sway = pose.sway * 0.5 + side * rng.uniform(0.2, 0.8)
            reach = max(1.4, length)
            spine = [
                root,
                root + [side * 0.45 + sway * 0.3, 0.35 * reach],
                root + [side * 0.3 + sway, 0.75 * reach],
                root + [sway * 1.2, 1.1 * reach],
            ]
            tail = sheet.fill(tube(spine, (0.16, wide, wide * 0.8, 0.02), 7), "hair", line)
            for k in (-0.35, 0.3):
                sheet.stroke(
                    smooth(np.asarray(spine) + [[k * 0.2, 0.1], [k * wide, 0], [k * wide, 0], [0, -0.2]], closed=False),
                    line * 0.6,
                    tail,
                )
            sheet.fill(ellipse(root[0], root[1] + 0.08, 0.2, 0.15), "bow", line)
        length = 0.95
    # Tips stand around the head on a circle, with valleys between them on a smaller one.
    if kind in ("spiky", "short"):
        count = int(rng.integers(7, 13))
        angles = np.linspace(np.pi * 1.12, -np.pi * 0.12, count + 1)
        reach = v * (1.35 if kind == "spiky" else 1.08) * rng.uniform(0.96, 1.08, count)
        middle = (angles[1:] + angles[:-1]) / 2 - 0.08
        tips = np.stack([s + reach * np.cos(middle), -0.05 - reach * np.sin(middle)], 1)
        valleys = np.stack([s + v * np.cos(angles), -0.05 - v * np.sin(angles)], 1)
        sheet.fill(join(fringe(tips, valleys, 0.15), (s + 0.7, 0.95), (s - 0.7, 0.95)), "hair", line)
        return
    bottom = {"bob": 1.05, "long": max(1.5, length)}.get(kind, 0.8)
    spread = v * (1.0 + 0.12 * rng.random() + 0.04 * bottom)
    n = int(rng.integers(3, 8))
    xs = np.linspace(spread, -spread, n + 1) + s + pose.sway * 0.12 * bottom
    ys = bottom + rng.uniform(-0.12, 0.05, n + 1)
    tips = np.stack([(xs[1:] + xs[:-1]) / 2 + rng.uniform(-0.05, 0.05, n), ys[:n] + rng.uniform(0.1, 0.3, n)], 1)
    valleys = np.stack([xs, ys], 1)
    body = join(
        crown_arc(v, s),
        bezier((s + v, 0), (s + spread * 1.08, bottom * 0.5), valleys[0], 8),
        fringe(tips, valleys, 0.12),
        bezier(valleys[-1], (s - spread * 1.08, bottom * 0.5), (s - v, 0), 8),
    )
    back = sheet.fill(body, "hair" if rng.random() < 0.75 else "hair_dark", line)
    for x in rng.uniform(-0.8, 0.8, 4):
        sheet.stroke(bezier((s + x, 0.2), (s + x * 1.15, bottom * 0.6), (s + x * 1.2, bottom)), line * 0.6, back)


def draw_front_hair(sheet: Sheet, who: Identity, pose: Pose) -> int | None:
    """Draw the cap of hair, the fringe and the side locks; returns the index of the cap, None for the bald."""
    rng = np.random.default_rng(who.shape_seed + 1)
    if who.traits["back"] == "bald":
        return None
    v, low, line = who.measures["hair_volume"], who.measures["fringe"], who.line_width
    s, f = -0.12 * np.sin(pose.yaw * MAX_HEAD_TURN), 0.45 * np.sin(pose.yaw * MAX_HEAD_TURN)
    kind, n = who.traits["fringe"], int(who.measures["tips"])
    if who.traits["side"] == "locks":
        reach = who.measures["side"]
        for side in (-1, 1):
            x = side * 0.95 * v * 0.9 + s
            piece = sheet.fill(
                hair_lock(
                    (x - side * 0.02, -0.35),
                    (x + side * 0.03 + pose.sway * 0.15, reach * 0.9 + 0.1),
                    0.15 + 0.06 * rng.random(),
                    -side * 0.12,
                ),
                "hair",
                line,
            )
            sheet.stroke(bezier((x, -0.1), (x + side * 0.05, reach * 0.4), (x, reach * 0.75)), line * 0.6, piece)
    # The lower edge of the fringe, from the right temple to the left; the crown closes it above.
    base_y = 0.12
    left, right = np.array([s - v * 0.99, base_y]), np.array([s + v * 0.99, base_y])
    if kind == "none":
        tips = np.array([[s + f, -0.55]])
        edge = join(
            bezier(right, (s + f + 0.6, -0.75), tips[0] - [0, 0.12], 10),
            bezier(tips[0] - [0, 0.12], (s + f - 0.6, -0.75), left, 10),
        )
        inner = tips
    elif kind == "straight":
        edge = join(
            bezier(right, (s + 0.9 * v, -0.3), (s + f + 0.78, low), 6),
            bezier((s + f + 0.78, low), (s + f, low + 0.08), (s + f - 0.78, low), 8),
            bezier((s + f - 0.78, low), (s - 0.9 * v, -0.3), left, 6),
        )
        inner = np.stack([np.linspace(-0.6, 0.6, 5) + s + f, np.full(5, low)], 1)
    else:
        split = {"zigzag": 9.0, "parted": who.measures["parting"], "swept": 0.75 if who.measures["parting"] > 0 else -0.75}[
            kind
        ]
        xs = np.linspace(0.86, -0.86, n)
        tip_y = low + 0.16 * np.cos(xs * 1.2) + rng.uniform(-0.14, 0.14, n) + 0.12 * np.abs(xs)
        lean = who.measures["curl"] * 0.3 if kind != "parted" else np.sign(xs - split) * 0.18
        if kind == "swept":
            lean = np.full(n, -np.sign(split) * 0.25)
            tip_y = low + 0.2 - 0.35 * np.abs(xs - split) / 1.6 + rng.uniform(-0.05, 0.05, n)
        gap = 1.72 / max(n - 1, 1)
        tips = np.stack([xs + s + f * 0.9 + lean, tip_y], 1)
        vx = np.append(xs + gap / 2, xs[-1] - gap / 2)
        vy = tip_y.min() - rng.uniform(0.12, 0.42, n + 1)
        if kind == "parted":
            vy = np.where(np.abs(vx - split) < gap * 0.7, -0.85, vy)
        valleys = np.stack([vx + s + f * 0.85, np.maximum(vy, -0.92)], 1)
        valleys[0], valleys[-1] = right, left
        edge, inner = fringe(tips, valleys, who.measures["curl"] * 0.6), valleys[1:-1]
    front = sheet.fill(join(crown_arc(v, s), edge), "hair", line)
    if rng.random() < 0.35:
        y = rng.uniform(-0.85, -0.55)
        glow = join(
            bezier((s - 0.75, y + 0.12), (s, y - 0.18), (s + 0.75, y + 0.12), 12),
            fringe(
                np.stack([np.linspace(0.6, -0.6, 6) + s, np.full(6, y + 0.2)], 1),
                np.stack([np.linspace(0.75, -0.75, 7) + s, np.full(7, y + 0.08)], 1),
                0.1,
            ),
        )
        sheet.fill(glow, "hair_light", line * 0.3 if rng.random() < 0.3 else 0, clip=front)
    if rng.random() < 0.15:
        x = rng.uniform(-0.6, 0.6)
        sheet.fill(hair_lock((s + x * 0.4, -1.1), (s + x + f, low + 0.3), 0.13, 0.05), "streak", line * 0.6, clip=front)
    for p in inner[: max(1, int(rng.integers(1, 7)))]:
        x, y = float(p[0]), float(p[1])
        sheet.stroke(bezier((x, y), (x * 0.9, y - 0.25), (x * 0.7, -0.75 + rng.uniform(-0.2, 0.1))), line * 0.7, front)
    if who.traits["ahoge"] == "yes":
        lean = rng.uniform(-0.6, 0.6) + pose.sway
        sheet.fill(hair_lock((s, -1.1), (s + lean, -1.1 - rng.uniform(0.35, 0.7)), 0.07, 0.2), "hair", line)
    return front
