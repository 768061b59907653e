"""Backgrounds: blank paper, a color, drawn scenes, painted panels.  The reference shows another view of the same scene."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from backend.imaging.types import Gray, Rgb
from backend.training.synthetic.render.canvas import rasterize
from backend.training.synthetic.render.palettes import random_color
from backend.training.synthetic.render.pens import extract_lines
from backend.training.synthetic.render.shading import random_shading, scale_shading
from backend.training.synthetic.scenes.panels import PanelLibrary, random_crop
from backend.training.synthetic.scenes.props import draw_scene, random_scene_palette


@dataclass(frozen=True)
class Scene:
    """Two views of one scene."""

    target: Rgb
    """(S, S, 3): behind the drawing."""
    reference: Rgb
    """(S, S, 3): behind the reference."""
    line: Gray
    """(S, S): lines of the drawing's background, 255 paper."""


def plain_image(size: int, color: Rgb) -> Rgb:
    """An image (S, S, 3) of one color."""
    return np.broadcast_to(np.asarray(color, np.uint8), (size, size, 3)).copy()


def shift_hsv(rng: np.random.Generator, rgb: Rgb) -> Rgb:
    """The scene with hue, saturation and brightness changed at random."""
    h = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV).astype(np.int16)
    h[..., 0] = (h[..., 0] + int(rng.integers(-30, 31))) % 180
    h[..., 1] = np.clip(h[..., 1] * rng.uniform(0.6, 1.4), 0, 255)
    h[..., 2] = np.clip(h[..., 2] * rng.uniform(0.7, 1.25), 0, 255)
    return np.asarray(cv2.cvtColor(h.astype(np.uint8), cv2.COLOR_HSV2RGB), np.uint8)


def median_blur(rgb: Rgb, reach: int) -> Rgb:
    """Median over reach x reach pixels: fewer brush strokes, the same edges."""
    return np.asarray(cv2.medianBlur(rgb, reach), np.uint8)


class Backgrounds:
    """Draws scenes; painted ones only when a panel library is given.  blank_share: share of blank paper."""

    def __init__(self, panels: PanelLibrary | None = None, blank_share: float = 0.33) -> None:
        self.panels = panels
        self.blank_share = blank_share

    def draw(self, rng: np.random.Generator, size: int) -> Scene:
        """Two views of a random scene, `size` pixels a side."""
        empty = np.full((size, size), 255, np.uint8)
        if rng.random() < self.blank_share:
            white = plain_image(size, np.array([255, 255, 255], np.uint8))
            return Scene(white, white, empty)
        kind = rng.random()
        # The rest: a quarter one color or a gradient, 39 % a drawn scene, 36 % a painted panel.
        if kind < 0.25:
            color = random_color(rng)
            if rng.random() < 0.4:
                other = random_color(rng)
                t = np.linspace(0, 1, size)[:, None, None]
                shade = (color * (1 - t) + other * t + np.zeros((1, size, 1))).astype(np.uint8)
                return Scene(shade, shade[:, ::-1].copy(), empty)
            sheet = plain_image(size, color)
            return Scene(sheet, sheet, empty)
        if kind < 0.64 or self.panels is None:
            return self.draw_scene(rng, size)
        panel = self.panels.random_panel(rng)
        if rng.random() < 0.5:
            panel = shift_hsv(rng, panel)
        target, center = random_crop(rng, panel, size, 0.6, 6)
        reference, _ = random_crop(rng, panel, size, 0.6, 6, center)
        # Lines of a painting come from a slightly blurred one, or every brush stroke would be a line.
        soft = median_blur(target, 3)
        if rng.random() < 0.3:
            target, reference = median_blur(target, 7), median_blur(reference, 7)
        return Scene(target, reference, extract_lines(soft))

    def draw_scene(self, rng: np.random.Generator, size: int) -> Scene:
        """A scene drawn by this project, from two cameras."""
        line = rng.uniform(0.008, 0.016)
        sheet, palette, shading = draw_scene(rng, line), random_scene_palette(rng), random_shading(rng)
        # No shadows: nothing casts one on the sky.
        shading = replace(scale_shading(shading, 0.3), shadow_length=0.0)
        views = []
        for _ in range(2):
            span, turn = rng.uniform(1.0, 2.0), rng.normal(0, 0.06)
            a = size / span * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
            if rng.random() < 0.3:
                a = a @ np.diag([-1.0, 1.0])
            center = np.array([rng.uniform(0.9, 2.1), rng.uniform(0.8, 1.2)])
            views.append(rasterize(sheet, palette, np.column_stack([a, size / 2 - a @ center]), size, shading))
        return Scene(views[0].rgb, views[1].rgb, views[0].line)
