"""Long hair drawn in strands: behind the body, over the shoulders, over the cap of hair."""

import numpy as np

from backend.training.synthetic.bust.hair import crown_arc
from backend.training.synthetic.bust.heads import MAX_HEAD_TURN
from backend.training.synthetic.bust.identity import Identity
from backend.training.synthetic.render.canvas import Sheet
from backend.training.synthetic.render.curves import Points, bezier, ellipse, fringe, join, smooth, tube
from backend.training.synthetic.tall.identity import TallPose


def wave_amplitude(who: Identity) -> float:
    """Amplitude of the waves of hair; nearly 0 for straight hair."""
    return who.measures["wave"] if who.traits["mane"] in ("wavy", "flick") else 0.012


def hair_strand(who: Identity, pose: TallPose, k: float, wide: float, top: float, low: float, phase: float = 0.0) -> Points:
    """One line of flowing hair, (14, 2), from height `top` to `low`.

    k: -1..1, position across the mane.  wide: half width of the mane at its low end.  phase: of the waves.
    """
    y = np.linspace(top, low, 14)
    t = np.clip((y + 0.2) / max(low + 0.2, 0.5), 0, 1)
    v = who.measures["hair_volume"]
    half = v * (1 - t) + wide * t
    sway = (pose.base.sway * 0.25 + pose.wind * 0.35) * t**1.5 * max(low, 1.0) * 0.3
    wave = wave_amplitude(who) * t**0.7 * np.sin(y * 2.2 + phase + k * 0.8)
    return np.stack([k * half + sway + wave - 0.14 * np.sin(pose.base.yaw * MAX_HEAD_TURN), y], 1)


def draw_mane(sheet: Sheet, who: Identity, pose: TallPose) -> None:
    """Draw the hair behind head and body."""
    rng = np.random.default_rng(who.shape_seed + 31)
    kind, line, v = who.traits["mane"], who.line_width, who.measures["hair_volume"]
    s = -0.14 * np.sin(pose.base.yaw * MAX_HEAD_TURN)
    material = "hair" if rng.random() < 0.8 else "hair_dark"
    if kind in ("twin", "pony", "braid"):
        sides = (-1, 1) if kind == "twin" else (1 if rng.random() < 0.5 else -1,)
        high, reach = rng.uniform(-0.6, 0.9), max(1.8, who.measures["length"] * 0.8)
        for side in sides:
            root = np.array([side * (1.02 if kind != "pony" else 0.7) + s, high])
            wide = rng.uniform(0.26, 0.46)
            blow = pose.wind * 0.5 + side * rng.uniform(0.05, 0.4)
            t = np.linspace(0, 1, 6)
            spine = root + np.stack(
                [side * 0.35 * np.sin(t * 2.4) + blow * t + wave_amplitude(who) * np.sin(t * 7), reach * t], 1
            )
            tail = sheet.fill(tube(spine, (0.14, wide, wide * 1.05, wide * 0.85, wide * 0.5, 0.02), 5), material, line)
            if kind == "braid":
                for c in np.linspace(0.4, 4.5, 8):
                    at = np.array([np.interp(c, np.arange(6), spine[:, i]) for i in (0, 1)])
                    sheet.stroke(bezier(at + [-wide, -0.12], at + [0, 0.18], at + [wide, -0.12]), line * 0.8, tail)
            for k in rng.uniform(-0.8, 0.8, int(who.measures["strands"] * 0.4) + 1):
                sheet.stroke(
                    smooth(spine + np.outer([0, 1, 1, 0.85, 0.5, 0], [k * wide, 0]), closed=False),
                    line * rng.uniform(0.35, 0.7),
                    tail,
                )
            sheet.fill(ellipse(root[0], root[1] + 0.1, 0.2, 0.14), "bow", line)
    if kind == "short":
        count = int(rng.integers(6, 11))
        angles = np.linspace(np.pi * 1.16, -np.pi * 0.16, count + 1)
        reach = v * 1.07 * rng.uniform(0.97, 1.08, count)
        mid = (angles[1:] + angles[:-1]) / 2 - 0.06
        tips = np.stack([s + reach * np.cos(mid), -0.05 - reach * np.sin(mid)], 1)
        valleys = np.stack([s + v * np.cos(angles), -0.05 - v * np.sin(angles)], 1)
        sheet.fill(join(fringe(tips, valleys, 0.15), (s + 0.6, 0.9), (s - 0.6, 0.9)), material, line)
        return
    low = {
        "straight": max(1.7, who.measures["length"]),
        "wavy": max(1.7, who.measures["length"]),
        "bobbed": rng.uniform(0.85, 1.5),
    }.get(kind, 1.05)
    if kind == "flick":
        low = rng.uniform(1.1, 1.9)
    wide = v * (1.0 + 0.05 * low) * rng.uniform(0.92, 1.15)
    left, right = hair_strand(who, pose, -1.0, wide, 0.0, low), hair_strand(who, pose, 1.0, wide, 0.0, low, np.pi)
    if kind == "flick":
        left[-3:, 0] -= [0.05, 0.18, 0.4]
        right[-3:, 0] += [0.05, 0.18, 0.4]
    n = int(rng.integers(4, 11))
    xs = np.linspace(right[-1, 0], left[-1, 0], n + 1)
    ys = np.interp(xs, [left[-1, 0], right[-1, 0]], [left[-1, 1], right[-1, 1]]) + rng.uniform(-0.1, 0.06, n + 1) * low**0.5
    ragged = rng.uniform(0.05, 0.35)
    tips = np.stack([(xs[1:] + xs[:-1]) / 2 + rng.uniform(-0.06, 0.06, n), ys[:n] + ragged * rng.uniform(0.4, 1.2, n)], 1)
    valleys = np.stack([xs, ys], 1)
    valleys[0], valleys[-1] = right[-1], left[-1]
    base = sheet.fill(join(crown_arc(v, s), right, fringe(tips, valleys, 0.12), left[::-1]), material, line)
    for k in rng.uniform(-0.95, 0.95, int(who.measures["strands"])):
        a, b = np.sort(rng.uniform(0.1, 1.05, 2)) * low
        if b - a > 0.2 * low:
            sheet.stroke(
                hair_strand(who, pose, float(k), wide, a, b, float(k > 0) * np.pi), line * rng.uniform(0.3, 0.75), base
            )
    # Loose strands beside the mane.
    if rng.random() < 0.6 and low > 1.6:
        for _ in range(int(rng.integers(1, 4))):
            side = 1 if rng.random() < 0.5 else -1
            path = hair_strand(
                who,
                pose,
                side * rng.uniform(0.9, 1.08),
                wide * 1.06,
                low * rng.uniform(0.2, 0.5),
                low * rng.uniform(0.8, 1.05),
                1.0,
            )
            sheet.fill(tube(path[::3], (0.01, *np.linspace(0.09, 0.01, len(path[::3]) - 1)), 3), material, line)


def draw_shoulder_locks(sheet: Sheet, who: Identity, pose: TallPose) -> None:
    """Hair that falls before the shoulders, and locks before the ears that reach the chin or the chest."""
    rng = np.random.default_rng(who.shape_seed + 32)
    line, v = who.line_width, who.measures["hair_volume"]
    long_hair = who.traits["mane"] in ("straight", "wavy")
    for side in (-1, 1):
        if who.traits["over"] == "front" and long_hair and rng.random() < 0.8:
            low = min(max(2.4, who.measures["length"] * rng.uniform(0.7, 1.0)), 5.5)
            middle = np.array([side * 0.86, 0.95])
            path = hair_strand(who, pose, 1.0 * side, 1.0, 0.25, low, 0.6)[::2]
            path[:, 0] += (middle[0] - side * v) * np.clip((path[:, 1] - 0.2) / 1.5, 0, 1)
            wide = rng.uniform(0.22, 0.42)
            widths = tuple(np.interp(np.linspace(0, 1, len(path)), [0, 0.3, 0.75, 1], [wide * 0.6, wide, wide * 0.85, 0.02]))
            base = sheet.fill(tube(path, widths, 4), "hair", line)
            for k in rng.uniform(-0.75, 0.75, int(who.measures["strands"] * 0.35) + 1):
                shift = np.outer(np.asarray(widths) * k, [1, 0])
                a = int(rng.integers(0, 3))
                sheet.stroke(
                    smooth((path + shift)[a : len(path) - 1], closed=False, steps=4), line * rng.uniform(0.35, 0.7), base
                )
    if who.traits["locks"] == "none":
        return
    for side in (-1, 1):
        low = rng.uniform(0.75, 1.3) if who.traits["locks"] == "short" else rng.uniform(1.5, 3.2)
        x = side * 0.9 * v - 0.12 * np.sin(pose.base.yaw * MAX_HEAD_TURN)
        path = np.array(
            [
                (x - side * 0.05, -0.45),
                (x + side * 0.06, 0.2),
                (x - side * 0.02 + pose.base.sway * 0.1, low * 0.6 + 0.2),
                (x - side * 0.08 + pose.base.sway * 0.25 + wave_amplitude(who), low),
            ]
        )
        base = sheet.fill(tube(path, (0.12, 0.15, 0.11, 0.01), 6), "hair", line)
        for k in rng.uniform(-0.7, 0.7, int(rng.integers(1, 4))):
            sheet.stroke(smooth(path + np.outer([0.12, 0.14, 0.1, 0], [k, 0]), closed=False), line * 0.5, base)


def draw_cap_strands(sheet: Sheet, who: Identity, pose: TallPose, cap: int) -> None:
    """Fine strands from the whorl over the cap of hair."""
    rng = np.random.default_rng(who.shape_seed + 33)
    s = -0.12 * np.sin(pose.base.yaw * MAX_HEAD_TURN)
    part = np.array([s + rng.uniform(-0.3, 0.3), -1.12])
    for k in rng.uniform(-1, 1, int(who.measures["strands"])):
        end = np.array([s + k * 1.02, rng.uniform(-0.55, 0.25) if abs(k) > 0.6 else rng.uniform(-0.7, -0.05)])
        start = part + (end - part) * rng.uniform(0.05, 0.5)
        bow = (start + end) / 2 + np.array([k * 0.22, -0.16 * (1 - abs(k))])
        sheet.stroke(bezier(start, bow, end, 8), who.line_width * rng.uniform(0.3, 0.7), cap)
