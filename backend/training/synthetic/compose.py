"""Puts two views of a character over a scene and makes a training set of them."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.imaging.types import Gray, Rgb
from backend.training.synthetic.render.pens import apply_random_pen, extract_lines_randomly
from backend.training.synthetic.scenes.backgrounds import Backgrounds
from backend.training.synthetic.types import DrawingSet, View


def composite_on_scene(view: View, scene: Rgb) -> Rgb:
    """The character blended over the scene with its mask as alpha, (S, S, 3)."""
    alpha = view.mask[..., None].astype(np.float32) / 255.0
    # The edge pixels of a view are mixed with white. Take the white out, or the character gets a bright fringe.
    foreground = (view.rgb - 255.0 * (1 - alpha)) / np.maximum(alpha, 1e-3)
    return np.clip(np.clip(foreground, 0, 255) * alpha + scene * (1 - alpha), 0, 255).astype(np.uint8)


def reposition(rng: np.random.Generator, view: View) -> View:
    """Shift, rotate and scale the view at random; mirror or warp some of them.

    Otherwise a model could copy colors from the same position of the reference.
    """
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
    """Source coordinates x and y, (S, S) each, of a smooth warp that moves pixels by up to about 4 % of the side."""
    coarse = rng.normal(0, 0.017 * size, (2, 4, 4)).astype(np.float32)
    dx, dy = (cv2.resize(c, (size, size), interpolation=cv2.INTER_CUBIC) for c in coarse)
    at = np.arange(size, dtype=np.float32)
    return np.asarray(at[None] + dx, np.float32), np.asarray(at[:, None] + dy, np.float32)


def mask_edge(mask: Gray) -> NDArray[np.bool_]:
    """(S, S) bool: the edge of the mask, two pixels wide."""
    solid = (mask > 127).astype(np.uint8)
    return cv2.morphologyEx(solid, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0


def ink_inside(line: Gray, mask: Gray) -> float:
    """Amount of ink inside the mask, in pixels."""
    return float(((255.0 - line) / 255.0 * (mask > 127)).sum())


@dataclass(frozen=True)
class LineMix:
    """Where the lines of drawings come from; drawings that neither share covers have exact lines."""

    extracted: float = 0.3
    """Share of drawings whose lines are extracted from the finished colors."""
    both: float = 0.1
    """Share of drawings with exact and extracted lines together."""
    contour: float = 0.8
    """Share of the drawings with exact lines whose silhouette is darkened."""


def compose(
    rng: np.random.Generator,
    target: View,
    reference: View,
    backgrounds: Backgrounds,
    size: int,
    source: str,
    lines: LineMix = LineMix(),
) -> DrawingSet:
    """Lay both views over one scene, choose where the lines come from and draw them with a random pen.

    target: the view to be colored.  reference: another view of the same character.  source: see ``DrawingSet``.
    """
    if rng.random() < 0.55:
        reference = reposition(rng, reference)
    scene = backgrounds.draw(rng, size)
    color, ref = composite_on_scene(target, scene.target), composite_on_scene(reference, scene.reference)
    inside = target.mask > 127
    # The character hides the lines of the scene behind it.
    line = np.where(inside, target.line, np.minimum(scene.line, target.line))
    kind = rng.random()
    if kind < lines.extracted:
        exact, line = line, extract_lines_randomly(rng, color)
        # Dark paint hides lines from the extractor. Where most of them are lost, the exact lines come back.
        if ink_inside(line, target.mask) < 0.3 * ink_inside(exact, target.mask):
            line = np.minimum(line, exact)
    elif kind < lines.extracted + lines.both:
        line = np.minimum(line, extract_lines_randomly(rng, color))
    elif rng.random() < lines.contour:
        line = np.where(mask_edge(target.mask), np.minimum(line, 60), line)
    return DrawingSet(apply_random_pen(rng, line.astype(np.uint8)), color, target.mask, ref, reference.mask, source)
