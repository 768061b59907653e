"""Shades flat parts as if they had a surface: bulges at edges, streaks along hair, creases of cloth, shadows on other parts."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.imaging.types import Gray, Rgb
from backend.training.synthetic.render.shading import (
    MATERIAL_KINDS,
    NO_TINT,
    ImageField,
    Shading,
    apply_shade,
    shade_from_cosine,
    smooth_step,
)

CROWN = -1.15
"""y of the whorl that hair flows from, in drawing units; the center of the head is 0."""
NOISE_UPSAMPLING = 8
"""How much finer the lookup table of the noise is than its grid."""


@dataclass(frozen=True)
class PartMaps:
    """What lies where in a drawing."""

    part: NDArray[np.int16]
    """(S, S): 0 outside, else a number that grows from back to front; features of a face have the number of the face."""
    kinds: NDArray[np.uint8]
    """(S, S): index into MATERIAL_KINDS."""
    feature: NDArray[np.bool_]
    """(S, S): eyes, mouths and the like."""
    crease: Gray
    """(S, S): 255 beside drawn folds."""
    camera: NDArray[np.float64]
    """2x3, drawing units to pixels."""

    @property
    def scale(self) -> float:
        """Pixels per drawing unit."""
        return float(np.sqrt(abs(np.linalg.det(self.camera[:, :2]))))


def inner_distance(part: NDArray[np.int16]) -> ImageField:
    """(S, S): distance of a pixel to the edge of its part in pixels, at most S; 0 at the edge and outside of all parts."""
    inside = np.ones(part.shape, np.uint8)
    across, down = part[:, 1:] != part[:, :-1], part[1:] != part[:-1]
    inside[:, 1:][across] = 0
    inside[1:][down] = 0
    inside[part == 0] = 0
    # Where the whole image is one part, OpenCV returns FLT_MAX.
    return np.minimum(
        np.asarray(cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32), np.float32(len(part))
    )


def bulge_normals(part: NDArray[np.int16], radius: float) -> tuple[ImageField, ImageField]:
    """Components x and y of the surface normal, (S, S) each, of parts that are rounded over `radius` pixels at their edges.

    Parts thinner than that are rounded over what they have.
    """
    depth = inner_distance(part)
    deepest = np.zeros(int(part.max()) + 1, np.float32)
    np.maximum.at(deepest, part.ravel(), depth.ravel())
    reach = np.clip(deepest, 1.0, max(1.0, radius))[part]
    slope = np.clip(1 - depth / reach, 0, 1) * (part > 0)
    # The steps of a pixel edge would fan out as rays, so the direction of the normal comes from blurred distances.
    blurred = cv2.GaussianBlur(depth, (0, 0), max(1.5, 0.12 * radius))
    gx, gy = cv2.Sobel(blurred, cv2.CV_32F, 1, 0), cv2.Sobel(blurred, cv2.CV_32F, 0, 1)
    norm = slope / np.maximum(np.sqrt(gx * gx + gy * gy), 1e-3)
    return np.asarray(-gx * norm, np.float32), np.asarray(-gy * norm, np.float32)


def drawing_coordinates(camera: NDArray[np.float64], size: int) -> tuple[ImageField, ImageField]:
    """Coordinates x and y of every pixel in drawing units, in shapes that broadcast to (S, S)."""
    inverse = np.linalg.inv(camera[:, :2])
    xs = np.arange(size, dtype=np.float32)[None] + 0.5 - np.float32(camera[0, 2])
    ys = np.arange(size, dtype=np.float32)[:, None] + 0.5 - np.float32(camera[1, 2])
    a = inverse.astype(np.float32)
    return a[0, 0] * xs + a[0, 1] * ys, a[1, 0] * xs + a[1, 1] * ys


def periodic_noise(seed: int, u: ImageField, v: ImageField) -> ImageField:
    """Smooth noise of mean 0 and standard deviation of about 1 at (u, v); it repeats every 64 in u and every 16 in v."""
    coarse = np.random.default_rng(seed).normal(0, 1.2, (16, 64)).astype(np.float32)
    wrapped = np.pad(coarse, 2, mode="wrap")
    # OpenCV interpolates in steps of 1/32 cell, which show as serrated edges of shade. Finer cells hide them.
    fine = cv2.resize(wrapped, None, fx=NOISE_UPSAMPLING, fy=NOISE_UPSAMPLING, interpolation=cv2.INTER_CUBIC)
    u, v = np.broadcast_arrays(u, v)
    at = ((u % 64 + 2) * NOISE_UPSAMPLING).astype(np.float32), ((v % 16 + 2) * NOISE_UPSAMPLING).astype(np.float32)
    return np.asarray(cv2.remap(fine, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def surface_texture(parts: PartMaps, shading: Shading, x: ImageField, y: ImageField) -> ImageField:
    """(S, S): what streaks of hair and creases of cloth add to the cosine between normal and light."""
    out = np.zeros(parts.part.shape, np.float32)
    hair, cloth = parts.kinds == MATERIAL_KINDS.index("hair"), parts.kinds == MATERIAL_KINDS.index("cloth")
    # Both textures are computed in the rows that they need only; noise is the slowest step of shading.
    if shading.strands and hair.any():
        rows = np.flatnonzero(hair.any(1))
        window = slice(int(rows[0]), int(rows[-1]) + 1)
        xx, yy = x[window], y[window]
        along = np.arctan2(xx, 0.55 + np.maximum(yy - CROWN, 0) ** 0.8)
        fine = 0.6 * periodic_noise(shading.seed, along * 9, yy * 0.5 + 3) + 0.5 * periodic_noise(
            shading.seed + 1, along * 24, yy * 0.8
        )
        out[window] += np.where(hair[window], fine * np.float32(shading.strands * 0.6), 0)
    if shading.folds and cloth.any():
        lean = np.float32(np.random.default_rng(shading.seed + 2).uniform(-0.6, 0.6))
        rows = np.flatnonzero(cloth.any(1))
        window = slice(int(rows[0]), int(rows[-1]) + 1)
        xx, yy = x[window], y[window]
        # Shifted by the number of the part, so that no crease runs on from one garment into the next.
        own = parts.part[window].astype(np.float32) * 1.7
        wave = periodic_noise(shading.seed + 3, xx * 2.1 + lean * yy + own, yy * 0.6 + own)
        out[window] += np.where(cloth[window], np.abs(wave) * np.float32(-shading.folds) + np.float32(0.5 * shading.folds), 0)
    return out


def cast_shadows(part: NDArray[np.int16], shading: Shading, scale: float) -> ImageField:
    """(S, S), 0..1: the shadow of each part on the parts below it.  scale: pixels per drawing unit."""
    lx, ly, _ = shading.light
    n = max(abs(lx), abs(ly), 1e-6)
    dx, dy = round(-lx / n * shading.shadow_length * scale), round(-ly / n * shading.shadow_length * scale)
    if dx == 0 and dy == 0:
        return np.zeros(part.shape, np.float32)
    moved = cv2.warpAffine(part, np.array([[1, 0, dx], [0, 1, dy]], np.float32), part.shape[::-1], flags=cv2.INTER_NEAREST)
    shadow = ((moved > part) & (part > 0)).astype(np.float32)
    return np.asarray(
        cv2.GaussianBlur(shadow, (0, 0), 0.6 + shading.softness * shading.shadow_length * scale * 0.5), np.float32
    )


def vertical_ramp(parts: PartMaps, y: ImageField) -> ImageField:
    """(S, S): 0 at the top of each part to 1 at its low end.  All hair shares one ramp, so that its locks agree."""
    part = parts.part
    count = int(part.max()) + 1
    rows = np.broadcast_to(np.arange(len(part), dtype=np.float32)[:, None], part.shape)
    low, high = np.full(count, 1e6, np.float32), np.zeros(count, np.float32)
    np.minimum.at(low, part.ravel(), rows.ravel())
    np.maximum.at(high, part.ravel(), rows.ravel())
    long = np.maximum(high - low, parts.scale * 1.5)
    out = (rows - low[part]) / long[part]
    hair = parts.kinds == MATERIAL_KINDS.index("hair")
    reach = float(np.clip(np.max(y[hair], initial=1.0), 1.0, 6.0))
    return np.where(hair, np.clip((y + 0.8) / (reach + 0.8), 0, 1), out).astype(np.float32)


def hair_highlight(parts: PartMaps, shading: Shading, x: ImageField, y: ImageField) -> ImageField:
    """(S, S), 0..1: the light band around the hair, jagged by its strands."""
    rng = np.random.default_rng(shading.seed + 4)
    height, wide = rng.uniform(-0.85, -0.45), rng.uniform(0.08, 0.22)
    jag = periodic_noise(shading.seed + 5, np.arctan2(x, y + 2.2) * 22, np.zeros_like(x + y))
    center = height + 0.28 * x * x
    inside = 1 - smooth_step(np.abs(y - center + 0.08 * jag) / np.float32(wide), 1.0, np.float32(0.3 + shading.softness))
    near = (parts.kinds == MATERIAL_KINDS.index("hair")) & (x * x + y * y < 2.2) & ~parts.feature
    return np.asarray(inside * near, np.float32)


def shade_drawing(rgb: Rgb, parts: PartMaps, shading: Shading) -> Rgb:
    """The flat colors of a drawing (S, S, 3) with light and shade.  x and y of the drawing run to the right and down."""
    if shading.is_flat:
        return (
            apply_shade(rgb, np.zeros(parts.part.shape, np.float32), parts.kinds, shading, None, None)
            if shading.gradient
            else rgb
        )
    scale, size = parts.scale, len(rgb)
    x, y = drawing_coordinates(parts.camera, size)
    # Each part bulges by itself, and the whole character as one: normals are a mix of both.
    nx, ny = bulge_normals(parts.part, shading.bulge * scale)
    whole = (parts.part > 0).astype(np.int16)
    wx, wy = bulge_normals(whole, 1.1 * scale)
    v = np.float32(shading.volume)
    nx, ny = nx * (1 - v) + wx * v, ny * (1 - v) + wy * v
    nz = np.sqrt(np.maximum(0.02, 1 - nx * nx - ny * ny))
    lx, ly, lz = (np.float32(c) for c in shading.light)
    cosine = np.asarray(nx * lx + ny * ly + nz * lz, np.float32)
    cosine += surface_texture(parts, shading, x, y)
    # A fold dips on both sides of its line.
    if parts.crease.any():
        beside = cv2.GaussianBlur(parts.crease, (0, 0), max(0.7, 0.05 * scale)).astype(np.float32) / 255.0
        cosine -= beside * np.float32(0.9 * shading.folds + 0.2)
    shade = shade_from_cosine(cosine, shading)
    if shading.shadow_length:
        shade = np.maximum(shade, cast_shadows(parts.part, shading, scale))
    # Eyes and mouths are painted on: they take little shade and no light.
    shade[parts.feature] *= 0.35
    shade[parts.part == 0] = 0
    # Light is added as a share of white: on what faces the light, on edges away from it, and on hair.
    gain = np.zeros_like(shade)
    if shading.highlight:
        gain += np.float32(shading.highlight) * smooth_step(
            cosine, np.float32(min(0.98, lz + 0.25)), np.float32(0.1 + shading.softness)
        )
    if shading.rim:
        edge = inner_distance(whole)
        away = smooth_step(-(wx * lx + wy * ly), 0.15, 0.3)
        gain += np.float32(shading.rim) * (1 - smooth_step(edge, np.float32(0.07 * scale + 1), np.float32(1.5))) * away
    if shading.gloss:
        gain = np.maximum(gain, np.float32(shading.gloss) * hair_highlight(parts, shading, x, y))
    gain[parts.feature | (parts.part == 0)] = 0
    ramp = None if all(t == NO_TINT for t in shading.ramps.values()) else vertical_ramp(parts, y)
    return apply_shade(rgb, shade, parts.kinds, shading, ramp, np.clip(gain, 0, 0.85))
