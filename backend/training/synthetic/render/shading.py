"""How an artist lights a drawing: the settings that two drawings of one character share, and their effect on flat colors.

The tone of a pixel is Lambert's cosine of a bulged surface, changed by strands, folds and cast shadows.  It is cut into a few
steps (cel shading) or left smooth (airbrush).  Shade multiplies the flat color by a tint, one each for skin, hair and cloth.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.imaging.types import Rgb

ImageField = NDArray[np.floating[Any]]
"""(S, S) values of one image; float32 in practice."""
MATERIAL_KINDS = ("skin", "hair", "cloth")
Tint = tuple[float, float, float]
"""Factors for red, green and blue."""
NO_TINT: Tint = (1.0, 1.0, 1.0)


def _no_tints() -> Mapping[str, Tint]:
    return dict.fromkeys(MATERIAL_KINDS, NO_TINT)


@dataclass(frozen=True)
class Shading:
    """How one artist lights a drawing; the default is flat.  Lengths are in drawing units (half the width of a head)."""

    light: tuple[float, float, float] = (0.0, 0.0, 1.0)
    """Direction to the light, of length 1: x to the right, y down, z to the viewer."""
    levels: tuple[float, ...] = ()
    """Cosines below which shade begins; each adds an equal share of it.  None: flat colors."""
    softness: float = 0.06
    """Width of a step of shade, in cosines."""
    tints: Mapping[str, Tint] = field(default_factory=_no_tints)
    """By kind of material: what full shade multiplies the color by."""
    bulge: float = 0.4
    """Radius of the rounding at the edge of a part."""
    volume: float = 0.3
    """Share of the whole character's rounding in the normals; the rest is the part's own."""
    strands: float = 0.0
    """How far streaks of hair move the cosine."""
    folds: float = 0.0
    """How far creases of cloth move the cosine."""
    shadow_length: float = 0.0
    """Length of the shadow of a part on the parts below it."""
    ramps: Mapping[str, Tint] = field(default_factory=_no_tints)
    """By kind of material: what the color is multiplied by at the low end of a part."""
    highlight: float = 0.0
    """Lightening of surfaces that face the light, 0..1."""
    gloss: float = 0.0
    """Lightening of the band around the hair, or of glossy spots in 3D, 0..1."""
    rim: float = 0.0
    """Lightening of edges away from the light, 0..1."""
    gradient: float = 0.0
    """Darkening from the top of the drawing to its bottom, 0..1."""
    outline_darkness: float = 0.8
    """Darkness of lines in the colored drawing, 0..1."""
    inner_darkness: float = 1.0
    """Darkness of strokes in the line art, 0..1."""
    seed: int = 0
    """Of the streaks and creases."""

    @property
    def is_flat(self) -> bool:
        """Whether colors are left without shade."""
        return not self.levels


def unit_vector(x: float, y: float, z: float) -> tuple[float, float, float]:
    """The vector scaled to length 1."""
    n = float(np.sqrt(x * x + y * y + z * z))
    return x / n, y / n, z / n


def random_light(rng: np.random.Generator) -> tuple[float, float, float]:
    """A direction to the light, mostly from above and one side, sometimes from below."""
    up = -rng.uniform(0.15, 1.0) if rng.random() < 0.92 else rng.uniform(0.1, 0.6)
    return unit_vector(float(rng.normal(0, 0.7)), up, rng.uniform(0.35, 1.1))


def shade_tint(rng: np.random.Generator, depth: float, kind: str, hue: float) -> Tint:
    """The tint of full shade.  depth: 0 black to 1 no shade; hue: 0 gray to 1 strongly colored shade."""
    if kind == "skin":
        warm = np.array([0.1, -0.02, -0.04]) * rng.uniform(0.5, 1.3)
        depth = 0.35 + 0.65 * depth
    else:
        warm = rng.normal(0, 0.08, 3) + hue * rng.choice([-1, 1], 3) * rng.uniform(0.02, 0.22, 3)
        warm = warm + np.array([0.0, -0.02, 0.05])
    r, g, b = np.clip(depth + warm, 0.12, 1.08)
    return float(r), float(g), float(b)


def random_shading(rng: np.random.Generator) -> Shading:
    """A random artist: flat, cel in two or three tones, airbrushed or painted; with dark, colored or nearly invisible lines."""
    style = str(rng.choice(["flat", "cel", "tones", "soft", "painted"], p=[0.08, 0.24, 0.22, 0.2, 0.26]))
    outline = rng.uniform(0.75, 1) if rng.random() < 0.5 else rng.uniform(0.3, 0.75)
    inner = rng.uniform(0.85, 1) if rng.random() < 0.45 else rng.uniform(0.25, 0.85)
    glow = rng.uniform(0, 0.2) if rng.random() < 0.2 else 0.0
    seed = int(rng.integers(2**31))
    if style == "flat":
        return Shading(gradient=glow, outline_darkness=outline, inner_darkness=inner, seed=seed)
    light = random_light(rng)
    front = light[2]
    # Relative to the light on surfaces that face the viewer: whatever the light, most of them stay lit.
    levels = {
        "cel": (front * rng.uniform(0.35, 0.85),),
        "tones": (front * rng.uniform(0.7, 0.95), front * rng.uniform(0.2, 0.6)),
        "soft": (front * rng.uniform(0.5, 0.9),),
        "painted": (front * rng.uniform(0.7, 1.0), front * rng.uniform(0.1, 0.6)),
    }[style]
    soft = {
        "cel": rng.uniform(0.02, 0.1),
        "tones": rng.uniform(0.02, 0.12),
        "soft": rng.uniform(0.5, 1.1),
        "painted": rng.uniform(0.12, 0.6),
    }[style]
    depth = float(np.clip(rng.normal(0.58, 0.15), 0.28, 0.88))
    hue = rng.uniform(0, 1) if style == "painted" or rng.random() < 0.3 else 0.1
    ramps: dict[str, Tint] = dict.fromkeys(MATERIAL_KINDS, NO_TINT)
    # Many artists let hair and long clothes change their color towards the ends.
    for kind in ("hair", "cloth"):
        if rng.random() < (0.55 if style == "painted" else 0.3):
            low, high = (0.4, 1.0) if kind == "hair" else (0.55, 1.05)
            r, g, b = rng.uniform(low, high, 3) if rng.random() < 0.6 else np.full(3, rng.uniform(low, high))
            ramps[kind] = (float(r), float(g), float(b))
    return Shading(
        light=light,
        levels=levels,
        softness=soft,
        tints={kind: shade_tint(rng, depth, kind, hue) for kind in MATERIAL_KINDS},
        bulge=rng.uniform(0.18, 0.7),
        volume=rng.uniform(0.1, 0.6),
        strands=rng.uniform(0.1, 0.6),
        folds=rng.uniform(0.05, 0.4),
        shadow_length=rng.uniform(0.06, 0.24) if rng.random() < 0.8 else 0.0,
        ramps=ramps,
        highlight=rng.uniform(0.05, 0.35) if rng.random() < 0.5 else 0.0,
        gloss=rng.uniform(0.15, 0.7) if rng.random() < 0.5 else 0.0,
        rim=rng.uniform(0.15, 0.6) if rng.random() < 0.2 else 0.0,
        gradient=glow,
        outline_darkness=outline,
        inner_darkness=inner,
        seed=seed,
    )


def scale_shading(shading: Shading, scale: float) -> Shading:
    """The same light for things whose parts are `scale` times as large as those of a character; without gloss."""
    return replace(shading, bulge=shading.bulge * scale, shadow_length=shading.shadow_length * scale, gloss=0.0)


def vary_light(rng: np.random.Generator, shading: Shading) -> Shading:
    """The same artist, in one of four drawings with light from elsewhere."""
    if shading.is_flat or rng.random() < 0.75:
        return shading
    light = random_light(rng)
    levels = tuple(v * light[2] / shading.light[2] for v in shading.levels)
    return replace(shading, light=light, levels=levels)


def smooth_step(x: ImageField, start: ImageField | float | np.float32, width: ImageField | float | np.float32) -> ImageField:
    """Cubic step from 0 to 1, centered at `start`."""
    t = np.clip((x - start) / width + 0.5, 0, 1)
    return t * t * (3 - 2 * t)


def shade_from_cosine(cosine: ImageField, shading: Shading) -> ImageField:
    """Shade 0..1: the share of the levels that the cosine is below.  Each edge is at least a pixel wide, against aliasing."""
    smooth = np.asarray(cv2.GaussianBlur(cosine, (0, 0), 0.8), np.float32)
    dx, dy = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=0.125), cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=0.125)
    width = np.maximum(np.float32(shading.softness), 1.2 * (np.abs(dx) + np.abs(dy)))
    total = np.zeros_like(smooth)
    for level in shading.levels:
        total += 1 - smooth_step(smooth, np.float32(level), width)
    return total / np.float32(len(shading.levels))


def tint_table(tints: Mapping[str, Tint]) -> NDArray[np.float32]:
    """(kinds, 3), in the order of MATERIAL_KINDS."""
    return np.array([tints[kind] for kind in MATERIAL_KINDS], np.float32)


def apply_shade(
    rgb: Rgb, shade: ImageField, kinds: NDArray[np.uint8], shading: Shading, ramp: ImageField | None, gain: ImageField | None
) -> Rgb:
    """Flat colors (S, S, 3) with shade, gradients and lights.

    shade: (S, S), 0..1.  kinds: (S, S), index into MATERIAL_KINDS.  ramp: (S, S), 0 at the top of a part to 1 at its low end.
    gain: (S, S), 0..1, share of white on top.
    """
    factor = 1 - shade[..., None] * (1 - np.take(tint_table(shading.tints), kinds, axis=0))
    if ramp is not None:
        factor *= 1 - ramp[..., None] * (1 - np.take(tint_table(shading.ramps), kinds, axis=0))
    if shading.gradient:
        factor *= (1 - np.float32(shading.gradient) * np.linspace(-0.2, 1, len(rgb), dtype=np.float32))[:, None, None]
    out = rgb * factor
    if gain is not None:
        out += (np.float32(255) - out) * gain[..., None]
    return np.clip(out, 0, 255).astype(np.uint8)
