"""Light on 3D characters: the same shading as in 2D drawings, from true normals and depths."""

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.imaging.types import Gray, Rgb
from backend.training.synthetic.render.palettes import skin_pixels
from backend.training.synthetic.render.shading import (
    MATERIAL_KINDS,
    NO_TINT,
    ImageField,
    Shading,
    apply_shade,
    shade_from_cosine,
    smooth_step,
)

HALF_HEAD = 0.13
"""Half the width of a head, as a share of the extent of what the camera shows."""


def cast_shadows_by_depth(depth: ImageField, shading: Shading, reach: float) -> ImageField:
    """(S, S), 0..1: shadows of nearer surfaces on those behind them; tests two steps from each pixel towards the light."""
    size = len(depth)
    length = shading.shadow_length * HALF_HEAD * size
    lx, ly, _ = shading.light
    n = max(abs(lx), abs(ly), 1e-6)
    shadow = np.zeros(depth.shape, np.float32)
    for share in (0.5, 1.0):
        dx, dy = round(-lx / n * length * share), round(-ly / n * length * share)
        if dx == 0 and dy == 0:
            continue
        matrix = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
        moved = cv2.warpAffine(depth, matrix, (size, size), flags=cv2.INTER_NEAREST, borderValue=1e6)
        nearer = depth - moved
        # Nearly equal depth is the same surface; what is much nearer is too far off to shade this one.
        shadow[(nearer > 0.012 * reach) & (nearer < 0.35 * reach)] = 1
    return np.asarray(cv2.GaussianBlur(shadow, (0, 0), 0.7), np.float32)


def shade_render(rgb: Rgb, normals: NDArray[np.float32], depth: ImageField, mask: Gray, shading: Shading, reach: float) -> Rgb:
    """The colors (S, S, 3) of a rendered character with light and shade.

    normals: (S, S, 3) in view space, y up.  depth: (S, S), in units of the model.  mask: (S, S), 255 = foreground.
    reach: extent of what the camera shows, in units of the model.
    """
    if shading.is_flat:
        return rgb
    inside = mask.astype(np.float32) / 255.0
    norm = np.sqrt((normals * normals).sum(-1))
    lx, ly, lz = (np.float32(c) for c in shading.light)
    cosine = (normals[..., 0] * lx - normals[..., 1] * ly + normals[..., 2] * lz) / np.maximum(norm, 0.2)
    cosine = np.asarray(cosine, np.float32)
    if shading.folds:
        grain = np.random.default_rng(shading.seed).normal(0, 1, (9, 13)).astype(np.float32)
        wide = cv2.resize(grain, depth.shape[::-1], interpolation=cv2.INTER_CUBIC)
        cosine -= np.float32(0.25 * shading.folds) * np.abs(wide)
    shade = shade_from_cosine(cosine, shading)
    if shading.shadow_length:
        shade = np.maximum(shade, cast_shadows_by_depth(depth, shading, reach))
    # The models do not name their materials alike, so skin is told by its color.
    kinds = np.where(skin_pixels(rgb), MATERIAL_KINDS.index("skin"), MATERIAL_KINDS.index("cloth")).astype(np.uint8)
    gain = np.zeros_like(shade)
    if shading.highlight:
        gain += np.float32(shading.highlight) * smooth_step(cosine, np.float32(0.95), np.float32(0.05 + 0.3 * shading.softness))
    if shading.gloss:
        # Blinn's reflection: a glossy spot where the normal points halfway between light and viewer.
        half = np.array([lx, -ly, lz + 1], np.float32)
        half /= np.linalg.norm(half)
        gloss = (normals @ half) / np.maximum(norm, 0.2)
        gain += np.float32(0.6 * shading.gloss) * smooth_step(
            gloss, np.float32(0.985), np.float32(0.01 + 0.03 * shading.softness)
        )
    if shading.rim:
        away = -(normals[..., 0] * lx - normals[..., 1] * ly)
        gain += np.float32(shading.rim) * smooth_step(away, 0.6, 0.2) * smooth_step(1 - normals[..., 2], 0.65, 0.2)
    ramp = None
    if any(t != NO_TINT for t in shading.ramps.values()):
        rows = np.flatnonzero(mask.any(1))
        top, low = (int(rows[0]), int(rows[-1])) if len(rows) else (0, 1)
        ramp = np.clip((np.arange(len(rgb), dtype=np.float32) - top) / max(1, low - top), 0, 1)[:, None] * inside
    return apply_shade(rgb, shade * inside, kinds, shading, ramp, np.clip(gain * inside, 0, 0.8))
