"""A figure over a scene, differently in the drawing and in its reference."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.imaging.types import Gray, Rgb
from backend.training.synthetic.render.pens import apply_random_pen, extract_lines_randomly
from backend.training.synthetic.scenes.backgrounds import Backgrounds
from backend.training.synthetic.types import DrawingSet, View


def composite_on_scene(view: View, scene: Rgb) -> Rgb:
    """The figure on the scene, by its mask."""
    alpha = view.mask[..., None].astype(np.float32) / 255.0
    # The figure's own edge pixels were mixed with white: unmix them before laying them on the scene.
    figure = (view.rgb - 255.0 * (1 - alpha)) / np.maximum(alpha, 1e-3)
    return np.clip(np.clip(figure, 0, 255) * alpha + scene * (1 - alpha), 0, 255).astype(np.uint8)


def reposition(rng: np.random.Generator, view: View) -> View:
    """Shifted, turned and scaled anew, sometimes mirrored: the reference must not answer by position."""
    n = view.line.shape[0]
    matrix = cv2.getRotationMatrix2D((n / 2, n / 2), float(rng.uniform(-14, 14)), float(rng.uniform(0.68, 1.15)))
    matrix[:, 2] += rng.uniform(-0.13, 0.13, 2) * n
    flip = rng.random() < 0.4

    def warp(x: NDArray[np.uint8], border: float) -> NDArray[np.uint8]:
        source = np.ascontiguousarray(x[:, ::-1]) if flip else x
        warped = cv2.warpAffine(
            source, matrix, (n, n), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(border,) * 3
        )
        return np.asarray(warped, np.uint8)

    rgb, line, mask = warp(view.rgb, 255), warp(view.line, 255), warp(view.mask, 0)
    if rng.random() < 0.4:
        xs, ys = random_warp_grid(rng, n)
        rgb = cv2.remap(rgb, xs, ys, cv2.INTER_LINEAR, borderValue=(255, 255, 255))
        line, mask = (cv2.remap(x, xs, ys, cv2.INTER_LINEAR, borderValue=v) for x, v in ((line, 255), (mask, 0)))
    return View(np.asarray(rgb, np.uint8), np.asarray(line, np.uint8), np.asarray(mask, np.uint8))


def random_warp_grid(rng: np.random.Generator, size: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where each pixel of a gently bent picture comes from, x and y: up to some 4 % of the side away."""
    coarse = rng.normal(0, 0.017 * size, (2, 4, 4)).astype(np.float32)
    dx, dy = (cv2.resize(c, (size, size), interpolation=cv2.INTER_CUBIC) for c in coarse)
    at = np.arange(size, dtype=np.float32)
    return np.asarray(at[None] + dx, np.float32), np.asarray(at[:, None] + dy, np.float32)


def mask_edge(mask: Gray) -> NDArray[np.bool_]:
    """The mask's edge, two pixels wide."""
    solid = (mask > 127).astype(np.uint8)
    return cv2.morphologyEx(solid, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0


def ink_inside(line: Gray, mask: Gray) -> float:
    """How much ink lies inside the mask, in pixels."""
    return float(((255.0 - line) / 255.0 * (mask > 127)).sum())


@dataclass(frozen=True)
class LineMix:
    """Where lines come from: shares extracted from the finished colors, and both extracted and exact; the rest is exact.
    contour: share of exact drawings whose silhouette is drawn darker.
    """

    extracted: float = 0.3
    both: float = 0.1
    contour: float = 0.8


def compose(
    rng: np.random.Generator,
    target: View,
    reference: View,
    backgrounds: Backgrounds,
    size: int,
    source: str,
    lines: LineMix = LineMix(),
) -> DrawingSet:
    """Lay both views over one scene and draw the lines in some pen."""
    if rng.random() < 0.55:
        reference = reposition(rng, reference)
    scene = backgrounds.draw(rng, size)
    color, ref = composite_on_scene(target, scene.target), composite_on_scene(reference, scene.reference)
    inside = target.mask > 127
    line = np.where(inside, target.line, np.minimum(scene.line, target.line))
    kind = rng.random()
    if kind < lines.extracted:
        exact, line = line, extract_lines_randomly(rng, color)
        # Where dark paint hides most lines from the extractor, the drawing keeps its own.
        if ink_inside(line, target.mask) < 0.3 * ink_inside(exact, target.mask):
            line = np.minimum(line, exact)
    elif kind < lines.extracted + lines.both:
        line = np.minimum(line, extract_lines_randomly(rng, color))
    elif rng.random() < lines.contour:
        line = np.where(mask_edge(target.mask), np.minimum(line, 60), line)
    return DrawingSet(apply_random_pen(rng, line.astype(np.uint8)), color, target.mask, ref, reference.mask, source)
