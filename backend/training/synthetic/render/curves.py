"""Outlines as (N, 2) float arrays, x to the right and y downwards."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Points = NDArray[np.float64]


def smooth(knots: ArrayLike, closed: bool = True, steps: int = 6) -> Points:
    """Uniform Catmull-Rom curve through the knots, (N * steps, 2)."""
    p = np.asarray(knots, float)
    if closed:
        p0, p1, p2, p3 = np.roll(p, 1, 0), p, np.roll(p, -1, 0), np.roll(p, -2, 0)
    else:
        # A piece needs a knot on either side, so an open curve gets one more at each end.
        q = np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
        p0, p1, p2, p3 = q[:-3], q[1:-2], q[2:-1], q[3:]
    t = np.linspace(0, 1, steps, endpoint=False)[:, None, None]
    out = 0.5 * (2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3)
    line = out.transpose(1, 0, 2).reshape(-1, 2)
    return line if closed else np.vstack([line, p[-1:]])


def bezier(start: ArrayLike, control: ArrayLike, end: ArrayLike, steps: int = 8) -> Points:
    """Quadratic Bezier curve as (steps, 2), both ends included."""
    a, c, b = (np.asarray(v, float) for v in (start, control, end))
    t = np.linspace(0, 1, steps)[:, None]
    return (1 - t) ** 2 * a + 2 * t * (1 - t) * c + t**2 * b


def join(*parts: ArrayLike) -> Points:
    """Curves and points one after the other, (N, 2)."""
    return np.vstack([np.atleast_2d(np.asarray(part, float)) for part in parts])


def ellipse(cx: float, cy: float, rx: float, ry: float, turn: float = 0.0, steps: int = 28) -> Points:
    """An ellipse; turn in radians."""
    t = np.linspace(0, 2 * np.pi, steps, endpoint=False)
    x, y = rx * np.cos(t), ry * np.sin(t)
    return np.stack([cx + x * np.cos(turn) - y * np.sin(turn), cy + x * np.sin(turn) + y * np.cos(turn)], 1)


def tube(spine: ArrayLike, widths: Sequence[float], steps: int = 6) -> Points:
    """Outline of a limb: a curve through the knots of `spine`, with half the width at each knot."""
    knots = np.asarray(spine, float)
    center = smooth(knots, closed=False, steps=steps)
    half = np.interp(np.linspace(0, len(knots) - 1, len(center)), np.arange(len(knots)), np.asarray(widths, float))
    along = np.gradient(center, axis=0)
    normal = np.stack([-along[:, 1], along[:, 0]], 1) / np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    return np.vstack([center + normal * half[:, None], (center - normal * half[:, None])[::-1]])


def fringe(tips: ArrayLike, valleys: ArrayLike, curl: float = 0.25) -> Points:
    """Zigzag of curved locks: valley 0, tip 0, valley 1, tip 1 ... valley n; valleys are one more than tips."""
    t, v = np.asarray(tips, float), np.asarray(valleys, float)
    parts: list[Points] = []
    for i in range(len(t)):
        out_bulge = (v[i] + t[i]) / 2 + curl * np.array([-(t[i] - v[i])[1], (t[i] - v[i])[0]]) * 0.5
        back_bulge = (v[i + 1] + t[i]) / 2 + curl * np.array([-(v[i + 1] - t[i])[1], (v[i + 1] - t[i])[0]]) * 0.2
        parts += [bezier(v[i], out_bulge, t[i], 7), bezier(t[i], back_bulge, v[i + 1], 7)]
    return join(*parts)


def rotate_and_shift(
    points: Points, dx: float = 0.0, dy: float = 0.0, turn: float = 0.0, about: tuple[float, float] = (0.0, 0.0)
) -> Points:
    """Rotate points by `turn` radians about a point, then shift them."""
    c, s = np.cos(turn), np.sin(turn)
    o = np.asarray(about)
    return (points - o) @ np.array([[c, s], [-s, c]]) + o + np.array([dx, dy])
