"""Drawn scenes: hills, houses, trees, rooms, or large shapes."""

from collections.abc import Callable

import numpy as np

from backend.training.synthetic.render.canvas import Sheet
from backend.training.synthetic.render.curves import Points, bezier, ellipse, join, smooth, tube
from backend.training.synthetic.render.palettes import Color, color_from_hsv, jitter, random_color, scale_color

PAINT_COUNT = 12
"""Free colors of a scene: c0 to c11."""


def random_scene_palette(rng: np.random.Generator) -> dict[str, Color]:
    """Colors by name: sky, ground, leaves and wood in natural hues six times of ten, and free colors c0 to c11."""
    out = {f"c{i}": random_color(rng) for i in range(PAINT_COUNT)}
    natural = rng.random() < 0.6
    out["sky"] = (
        color_from_hsv(rng.uniform(0.5, 0.64), rng.uniform(0.1, 0.6), rng.uniform(0.7, 1)) if natural else random_color(rng)
    )
    out["ground"] = (
        color_from_hsv(rng.uniform(0.08, 0.4), rng.uniform(0.2, 0.7), rng.uniform(0.35, 0.9)) if natural else random_color(rng)
    )
    out["leaves"] = (
        color_from_hsv(rng.uniform(0.2, 0.42), rng.uniform(0.3, 0.8), rng.uniform(0.3, 0.8)) if natural else random_color(rng)
    )
    out["wood"] = (
        color_from_hsv(rng.uniform(0.04, 0.11), rng.uniform(0.3, 0.7), rng.uniform(0.25, 0.65))
        if natural
        else random_color(rng)
    )
    out["far"] = scale_color(out["ground"], 0.9, 0.35)
    out["white"] = jitter(rng, np.array([246.0, 244, 240]), 6)
    out["ink"] = np.array([36, 30, 36], np.uint8)
    return out


def rectangle(x: float, y: float, w: float, h: float) -> Points:
    """A rectangle by its upper left corner and its size."""
    return np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]], float)


def random_paint(rng: np.random.Generator) -> str:
    """Name of one of the free colors."""
    return f"c{int(rng.integers(PAINT_COUNT))}"


def draw_tree(sheet: Sheet, rng: np.random.Generator, x: float, y: float, s: float, line: float) -> None:
    """A trunk with a crown of leaves, or a fir.  (x, y): foot of the trunk; s: size; line: line width."""
    sheet.fill(tube([(x, y), (x + 0.02 * s, y - 0.5 * s)], (0.07 * s, 0.05 * s), 3), "wood", line)
    if rng.random() < 0.5:
        for k in range(3):
            w, top = (0.4 - 0.1 * k) * s, y - (0.35 + 0.28 * k) * s
            sheet.fill(
                join(
                    (x - w, top),
                    bezier((x + w, top), (x + w * 0.3, top - 0.1 * s), (x, top - 0.45 * s)),
                    bezier((x, top - 0.45 * s), (x - w * 0.3, top - 0.1 * s), (x - w, top)),
                ),
                "leaves",
                line,
            )
    else:
        t = np.linspace(0, 2 * np.pi, 9)[:-1]
        r = 0.36 * s * rng.uniform(0.85, 1.2, 8)
        base = sheet.fill(smooth(np.stack([x + r * np.cos(t), y - 0.75 * s + r * np.sin(t)], 1), steps=5), "leaves", line)
        for _ in range(3):
            sheet.stroke(
                ellipse(x + rng.uniform(-0.2, 0.2) * s, y - rng.uniform(0.6, 0.9) * s, 0.08 * s, 0.06 * s)[:14],
                line * 0.7,
                base,
            )


def draw_house(sheet: Sheet, rng: np.random.Generator, x: float, y: float, s: float, line: float) -> None:
    """Walls, roof, door and windows.  (x, y): lower left corner; s: size; line: line width."""
    w, h = s * rng.uniform(0.6, 1.1), s * rng.uniform(0.4, 0.9)
    wall, roof = random_paint(rng), random_paint(rng)
    base = sheet.fill(rectangle(x, y - h, w, h), wall, line)
    sheet.fill(
        np.array([[x - 0.08 * s, y - h], [x + w / 2, y - h - rng.uniform(0.25, 0.6) * s], [x + w + 0.08 * s, y - h]]),
        roof,
        line,
    )
    door = random_paint(rng)
    sheet.fill(rectangle(x + w * 0.1, y - h * 0.5, w * 0.2, h * 0.5), door, line)
    for k in range(int(rng.integers(1, 3))):
        pane = rectangle(x + w * (0.42 + 0.28 * k), y - h * 0.65, w * 0.18, h * 0.3)
        sheet.fill(pane, "sky", line)
        sheet.stroke(np.array([pane[0] * 0.5 + pane[1] * 0.5, pane[2] * 0.5 + pane[3] * 0.5]), line)
    if rng.random() < 0.3:
        for yy in np.arange(y - h, y, 0.09 * s):
            sheet.stroke(np.array([[x, yy], [x + w, yy]]), line * 0.5, base)


def draw_outdoors(sheet: Sheet, rng: np.random.Generator, line: float) -> None:
    """Sky, hills, clouds, trees and houses on a field of 3 x 2 units."""
    sheet.fill(rectangle(-2, -2, 7, 6), "sky", 0)
    if rng.random() < 0.6:
        sheet.fill(ellipse(rng.uniform(0, 3), rng.uniform(0.1, 0.6), 0.2, 0.2), random_paint(rng), line)
    for _ in range(int(rng.integers(0, 4))):
        x, y, s = rng.uniform(0, 3), rng.uniform(0.1, 0.8), rng.uniform(0.15, 0.4)
        t = np.linspace(0, 2 * np.pi, 8)[:-1]
        r = s * rng.uniform(0.7, 1.2, 7)
        sheet.fill(smooth(np.stack([x + 1.6 * r * np.cos(t), y + 0.55 * r * np.sin(t)], 1), steps=4), "white", line)
    horizon = rng.uniform(0.9, 1.4)
    for k, name in enumerate(("far", "c0", "ground")):
        xs = np.linspace(-2, 5, 9)
        ys = horizon + 0.18 * k + rng.uniform(-0.15, 0.15, 9) * (1.2 - 0.4 * k)
        ridge = smooth(np.stack([xs, ys], 1), closed=False, steps=4)
        sheet.fill(join(ridge, (5, 4), (-2, 4)), name, line)
        for _ in range(int(rng.integers(0, 4))):
            x = rng.uniform(-0.2, 3)
            y = float(np.interp(x, xs, ys)) + 0.1
            (draw_tree if rng.random() < 0.65 else draw_house)(sheet, rng, x, y, rng.uniform(0.3, 0.6) + 0.2 * k, line)
    for _ in range(int(rng.integers(0, 6))):
        x, y = rng.uniform(0, 3), rng.uniform(1.6, 2.2)
        sheet.fill(ellipse(x, y, 0.12, 0.07), random_paint(rng), line)


def draw_indoors(sheet: Sheet, rng: np.random.Generator, line: float) -> None:
    """Wall, floor, windows, shelves and a table on a field of 3 x 2 units."""
    floor = rng.uniform(1.2, 1.7)
    wall = sheet.fill(rectangle(-2, -2, 7, 6), "c1", 0)
    if rng.random() < 0.4:
        for x in np.arange(-2, 5, rng.uniform(0.15, 0.4)):
            sheet.stroke(np.array([[x, -2], [x, floor]]), line * 0.6, wall)
    base = sheet.fill(rectangle(-2, floor, 7, 4), "wood", line)
    for x in np.arange(-3, 6, 0.4):
        sheet.stroke(np.array([[x, floor], [x + (x - 1.5) * 1.2, 4]]), line * 0.6, base)
    for _ in range(int(rng.integers(1, 3))):
        x, y, w, h = rng.uniform(0, 2.4), rng.uniform(0.1, 0.5), rng.uniform(0.4, 0.8), rng.uniform(0.4, 0.7)
        sheet.fill(rectangle(x - 0.06, y - 0.06, w + 0.12, h + 0.12), "c2", line)
        pane = sheet.fill(rectangle(x, y, w, h), "sky", line)
        if rng.random() < 0.5:
            sheet.fill(ellipse(x + w / 2, y + h, w * 0.6, h * 0.4), "leaves", line, clip=pane)
        sheet.stroke(np.array([[x + w / 2, y], [x + w / 2, y + h]]), line, pane)
    for _ in range(int(rng.integers(0, 3))):
        x, y = rng.uniform(0, 2.3), rng.uniform(0.5, 1.0)
        sheet.fill(rectangle(x, y, 0.8, 0.06), "c3", line)
        for k in range(6):
            h = rng.uniform(0.15, 0.3)
            sheet.fill(rectangle(x + 0.05 + 0.11 * k, y - h, 0.1, h), f"c{4 + int(rng.integers(8))}", line)
    if rng.random() < 0.5:
        x, y = rng.uniform(0, 2), floor + rng.uniform(-0.1, 0.2)
        for dx in (0.06, 0.86):
            sheet.fill(rectangle(x + dx, y, 0.08, 0.6), "c5", line)
        sheet.fill(rectangle(x, y - 0.08, 1.0, 0.1), "c5", line)


def draw_flat_polygons(sheet: Sheet, rng: np.random.Generator, line: float) -> None:
    """Large random shapes."""
    sheet.fill(rectangle(-2, -2, 7, 6), "c0", 0)
    for k in range(int(rng.integers(2, 8))):
        center = rng.uniform(-0.2, [3.2, 2.2])
        knots = center + rng.normal(0, rng.uniform(0.3, 0.9), (int(rng.integers(3, 7)), 2))
        sheet.fill(knots if rng.random() < 0.5 else smooth(knots, steps=4), f"c{1 + k}", line if rng.random() < 0.8 else 0)


def draw_scene(rng: np.random.Generator, line: float) -> Sheet:
    """A random scene that covers x 0..3, y 0..2 and more around it.  line: line width."""
    sheet = Sheet()
    kinds: list[Callable[[Sheet, np.random.Generator, float], None]] = [draw_outdoors, draw_indoors, draw_flat_polygons]
    kinds[int(rng.choice(3, p=[0.4, 0.35, 0.25]))](sheet, rng, line)
    return sheet
