"""Drawn animals and things.

Every ``draw_*`` takes two generators.  `shape` decides what both drawings of a thing share, `pose` what differs between them.
"""

from collections.abc import Callable

import numpy as np

from backend.training.synthetic.compose import compose
from backend.training.synthetic.render.canvas import Sheet, rasterize
from backend.training.synthetic.render.curves import bezier, ellipse, join, rotate_and_shift, smooth, tube
from backend.training.synthetic.render.shading import random_shading, scale_shading
from backend.training.synthetic.scenes.backgrounds import Backgrounds
from backend.training.synthetic.scenes.props import draw_house, draw_tree, random_scene_palette, rectangle
from backend.training.synthetic.types import DrawingSet

LINE = 0.035
"""Line width in drawing units."""


def draw_cat(sheet: Sheet, shape: np.random.Generator, pose: np.random.Generator) -> None:
    """A sitting animal with patches, ears and tail."""
    fat, ear, sway, look = shape.uniform(0.6, 1.0), shape.uniform(0.25, 0.7), pose.uniform(-0.5, 0.5), pose.uniform(-0.2, 0.2)
    patch, collar = shape.random() < 0.6, shape.random() < 0.6
    # Back to front: tail, body, paws, ears, head, face.
    sheet.fill(tube([(0.5, 1.9), (1.3, 1.7 + sway), (1.6 + sway, 0.9), (1.2 + sway, 0.5)], (0.14, 0.17, 0.15, 0.1)), "c0", LINE)
    body = sheet.fill(
        smooth([(0, 0.4), (0.7 * fat, 1.0), (0.95 * fat, 1.9), (0, 2.1), (-0.95 * fat, 1.9), (-0.7 * fat, 1.0)], steps=6),
        "c0",
        LINE,
    )
    sheet.fill(ellipse(0, 1.5, 0.45 * fat, 0.6), "c1", LINE * 0.7, clip=body)
    for side in (-1, 1):
        sheet.fill(ellipse(side * 0.35, 2.05, 0.24, 0.14), "c1" if patch else "c0", LINE)
    # Everything from here on is the head, and is turned as a whole.
    start = len(sheet.items)
    for side in (-1, 1):
        tip = np.array([[side * 0.25, -0.5], [side * 0.72, -0.62 - ear], [side * 0.8, -0.1]])
        sheet.fill(tip, "c0", LINE)
        sheet.fill((tip - tip.mean(0)) * 0.55 + tip.mean(0), "c2", LINE * 0.7)
    head = sheet.fill(ellipse(0, 0.05, 0.9, 0.7), "c0", LINE)
    if patch:
        sheet.fill(ellipse(0.5, -0.2, 0.45, 0.5, 0.4), "c3", LINE * 0.7, clip=head)
    sheet.fill(ellipse(look, 0.35, 0.4, 0.25), "c1", LINE * 0.7, clip=head)
    shut = pose.random() < 0.2
    for side in (-1, 1):
        x = side * 0.38 + look
        if shut:
            sheet.stroke(bezier((x - 0.16, 0), (x, 0.14), (x + 0.16, 0)), LINE)
        else:
            sheet.fill(ellipse(x, 0, 0.17, 0.2), "c4", LINE)
            sheet.fill(ellipse(x + look * 0.2, 0, 0.07, 0.15), "ink", 0, solid=True)
    sheet.fill(np.array([[look - 0.08, 0.22], [look + 0.08, 0.22], [look, 0.32]]), "c2", LINE * 0.7)
    sheet.stroke(bezier((look - 0.15, 0.42), (look, 0.48), (look + 0.15, 0.42)), LINE * 0.7)
    turn = pose.normal(0, 0.12)
    sheet.transform(start, np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0]]))
    if collar:
        sheet.fill(tube([(-0.5, 0.6), (0, 0.78), (0.5, 0.6)], (0.08, 0.09, 0.08)), "c5", LINE)
        sheet.fill(ellipse(0, 0.88, 0.12, 0.12), "c6", LINE)


def draw_mug(sheet: Sheet, shape: np.random.Generator, pose: np.random.Generator) -> None:
    """A mug with bands and a spoon."""
    w, h, open_ = shape.uniform(0.5, 0.9), shape.uniform(0.8, 1.4), pose.uniform(0.08, 0.22)
    side = 1 if pose.random() < 0.5 else -1
    bands = int(shape.integers(0, 3))
    sheet.fill(join(ellipse(side * w, h * 0.5, 0.4, 0.36)), "c0", LINE)
    sheet.fill(ellipse(side * w, h * 0.5, 0.24, 0.2), "c7", LINE)
    base = sheet.fill(
        join(
            bezier((w, 0), (w, h * 0.6), (w * 0.85, h)),
            bezier((w * 0.85, h), (0, h + open_ * 1.6), (-w * 0.85, h)),
            bezier((-w * 0.85, h), (-w, h * 0.6), (-w, 0)),
        ),
        "c0",
        LINE,
    )
    for k in range(bands):
        y = h * (0.25 + 0.3 * k)
        sheet.fill(
            join(bezier((-w, y), (0, y + open_ * 2), (w, y)), bezier((w, y + 0.15), (0, y + 0.15 + open_ * 2), (-w, y + 0.15))),
            f"c{1 + k}",
            LINE,
            clip=base,
        )
    sheet.fill(ellipse(0, 0, w, open_), "c0", LINE)
    sheet.fill(ellipse(0, 0.02, w * 0.85, open_ * 0.75), "c3", LINE)
    if shape.random() < 0.6:
        lean = pose.uniform(-0.5, 0.5)
        sheet.fill(tube([(0.1, 0.05), (0.1 + lean, -0.9)], (0.05, 0.05), 3), "c4", LINE)
        sheet.fill(ellipse(0.1 + lean, -1.0, 0.12, 0.18, lean), "c4", LINE)


def draw_mushroom(sheet: Sheet, shape: np.random.Generator, pose: np.random.Generator) -> None:
    """A stalk and a spotted cap."""
    w, h, lean = shape.uniform(0.7, 1.2), shape.uniform(0.5, 1.0), pose.uniform(-0.25, 0.25)
    spots = shape.uniform(-1, 1, (5, 3))
    sheet.fill(tube([(0, 0), (lean * 0.4, 0.7), (lean, 1.3)], (0.22, 0.26, 0.34)), "c1", LINE)
    cap = sheet.fill(
        join(
            bezier((-w, 0.15), (-w * 0.8, -h * 1.3), (0, -h)),
            bezier((0, -h), (w * 0.8, -h * 1.3), (w, 0.15)),
            bezier((w, 0.15), (0, 0.4), (-w, 0.15)),
        ),
        "c0",
        LINE,
    )
    for x, y, r in spots:
        sheet.fill(
            ellipse(x * w * 0.8, -h * 0.45 + y * h * 0.5, 0.12 + 0.08 * abs(r), 0.1 + 0.06 * abs(r)), "c2", LINE, clip=cap
        )


def draw_fish(sheet: Sheet, shape: np.random.Generator, pose: np.random.Generator) -> None:
    """A fish with stripes and fins."""
    fat, swim, bars = shape.uniform(0.4, 0.8), pose.uniform(-0.3, 0.3), int(shape.integers(1, 4))
    sheet.fill(np.array([[0.8, 0], [1.6, -0.55 + swim], [1.35, swim], [1.6, 0.55 + swim]]), "c1", LINE)
    sheet.fill(join(bezier((-0.4, -fat * 0.8), (0.1, -fat * 1.9), (0.6, -fat * 0.5))), "c1", LINE)
    body = sheet.fill(
        join(bezier((-1.2, 0), (-0.3, -fat * 2), (1, 0), 14), bezier((1, 0), (-0.3, fat * 2), (-1.2, 0), 14)), "c0", LINE
    )
    for k in range(bars):
        x = -0.3 + 0.4 * k
        sheet.fill(
            join(bezier((x, -1), (x + 0.15, 0), (x, 1)), bezier((x + 0.18, 1), (x + 0.33, 0), (x + 0.18, -1))),
            "c2",
            LINE,
            clip=body,
        )
    sheet.fill(ellipse(-0.75, -0.12, 0.14, 0.14), "white", LINE)
    sheet.fill(ellipse(-0.77, -0.12, 0.06, 0.07), "ink", 0, solid=True)
    sheet.fill(rotate_and_shift(ellipse(0.1, 0.15, 0.3, 0.14), turn=0.4 + swim), "c3", LINE)


def draw_cottage(sheet: Sheet, shape: np.random.Generator, pose: np.random.Generator) -> None:
    """A house between trees."""
    del pose
    draw_tree(sheet, shape, -0.6, 1.0, shape.uniform(0.8, 1.4), LINE)
    draw_house(sheet, shape, -0.5, 1.0, 1.3, LINE)
    draw_tree(sheet, shape, 1.1, 1.05, shape.uniform(0.5, 1.2), LINE)
    sheet.fill(ellipse(0.2, 1.06, 1.4, 0.12), "ground", LINE)


def draw_chest(sheet: Sheet, shape: np.random.Generator, pose: np.random.Generator) -> None:
    """A chest with bands; the lid is open or shut."""
    w, h, lid = shape.uniform(0.7, 1.1), shape.uniform(0.5, 0.8), pose.uniform(0.0, 0.5)
    sheet.fill(join(bezier((-w, -lid), (0, -0.8 - lid), (w, -lid))), "c0", LINE)
    if lid > 0.2:
        sheet.fill(rectangle(-w, -lid, 2 * w, lid), "c3", LINE)
        for k in range(4):
            sheet.fill(ellipse(-w * 0.6 + 0.4 * k, 0, 0.25, 0.18), "c4", LINE)
    base = sheet.fill(rectangle(-w, 0, 2 * w, h), "c0", LINE)
    for x in (-w * 0.7, w * 0.5):
        sheet.fill(rectangle(x, -1, 0.2, 3), "c1", LINE, clip=base)
    sheet.fill(rectangle(-0.12, -0.1, 0.24, 0.3), "c2", LINE)


OBJECTS: dict[str, Callable[[Sheet, np.random.Generator, np.random.Generator], None]] = {
    "cat": draw_cat,
    "mug": draw_mug,
    "mushroom": draw_mushroom,
    "fish": draw_fish,
    "cottage": draw_cottage,
    "chest": draw_chest,
}


class Objects2D:
    """Source of drawn animals and things."""

    name = "thing"

    def __init__(self, backgrounds: Backgrounds) -> None:
        self.backgrounds = backgrounds

    def draw(self, rng: np.random.Generator, size: int) -> DrawingSet:
        """One animal or thing, drawn twice over a scene."""
        kind = str(rng.choice(list(OBJECTS), p=[0.4, 0.12, 0.12, 0.14, 0.12, 0.1]))
        palette, shading, seed = random_scene_palette(rng), scale_shading(random_shading(rng), 0.8), int(rng.integers(2**31))
        views = []
        for _ in range(2):
            sheet = Sheet()
            OBJECTS[kind](sheet, np.random.default_rng(seed), rng)
            lo, hi = sheet.bounds()
            scale = size / float((hi - lo).max() * rng.uniform(1.1, 1.7))
            turn = rng.normal(0, 0.08)
            a = (
                scale
                * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
                @ np.diag([float(rng.choice([-1, 1])), 1.0])
            )
            center = size / 2 + rng.uniform(-0.1, 0.1, 2) * size
            views.append(rasterize(sheet, palette, np.column_stack([a, center - a @ ((lo + hi) / 2)]), size, shading))
        return compose(rng, views[0], views[1], self.backgrounds, size, f"{self.name}/{kind}")
