"""Random colors of materials: skin is mostly natural, hair and eyes half of the time, everything else has any color."""

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.imaging.types import Rgb

Color = NDArray[np.uint8]
"""(3,) uint8 sRGB."""

NATURAL_SKINS = np.array(
    [
        [255, 228, 212],
        [252, 218, 192],
        [246, 204, 172],
        [236, 184, 146],
        [214, 156, 116],
        [176, 120, 84],
        [136, 88, 62],
        [98, 62, 46],
    ],
    float,
)
NATURAL_HAIR = np.array(
    [
        [38, 30, 32],
        [62, 44, 36],
        [98, 62, 42],
        [142, 92, 54],
        [188, 138, 76],
        [232, 198, 122],
        [172, 72, 40],
        [150, 148, 150],
        [236, 234, 232],
    ],
    float,
)
NATURAL_EYES = np.array([[92, 60, 38], [66, 112, 176], [76, 138, 84], [120, 120, 130], [48, 36, 34], [170, 122, 40]], float)


def skin_pixels(rgb: Rgb) -> NDArray[np.bool_]:
    """(h, w) bool: the pixels whose color lies among light to brown skins."""
    h, s, v = cv2.split(cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV))
    warm = (h <= 18) | (h > 174)
    return warm & (s >= 25) & (s <= 150) & (v > 80)


def color_from_hsv(hue: float, saturation: float, value: float) -> Color:
    """Hue 0..1 around the circle; the rest 0..1."""
    pixel = np.array([[[int(hue * 180) % 180, round(saturation * 255), round(value * 255)]]], np.uint8)
    return cv2.cvtColor(pixel, cv2.COLOR_HSV2RGB)[0, 0]


def jitter(rng: np.random.Generator, color: NDArray[np.floating] | Color, spread: float) -> Color:
    """The color with normal noise of the given standard deviation in each channel."""
    return np.clip(np.asarray(color, float) + rng.normal(0, spread, 3), 0, 255).astype(np.uint8)


def random_color(rng: np.random.Generator) -> Color:
    """A color of any hue; one in five is nearly gray."""
    if rng.random() < 0.2:
        return color_from_hsv(rng.random(), rng.uniform(0, 0.1), rng.uniform(0.15, 1))
    return color_from_hsv(rng.random(), float(rng.beta(2, 2)), rng.uniform(0.28, 1))


def random_skin_color(rng: np.random.Generator) -> Color:
    """Natural in 96 of 100 draws, else a color of any hue."""
    if rng.random() < 0.96:
        # Light skins are more frequent, as in the art that the model will see.
        x = (len(NATURAL_SKINS) - 1) * float(rng.beta(1.0, 1.9))
        i = min(int(x), len(NATURAL_SKINS) - 2)
        return jitter(rng, NATURAL_SKINS[i] * (1 + i - x) + NATURAL_SKINS[i + 1] * (x - i), 5)
    return color_from_hsv(rng.random(), rng.uniform(0.1, 0.5), rng.uniform(0.6, 1))


def random_hair_color(rng: np.random.Generator) -> Color:
    """Natural or an anime color, equally often."""
    if rng.random() < 0.5:
        return jitter(rng, NATURAL_HAIR[int(rng.integers(len(NATURAL_HAIR)))], 10)
    return color_from_hsv(rng.random(), rng.uniform(0.25, 0.85), rng.uniform(0.4, 1))


def random_eye_color(rng: np.random.Generator) -> Color:
    """Natural or vivid, equally often."""
    if rng.random() < 0.5:
        return jitter(rng, NATURAL_EYES[int(rng.integers(len(NATURAL_EYES)))], 10)
    return color_from_hsv(rng.random(), rng.uniform(0.5, 0.95), rng.uniform(0.5, 0.95))


def scale_color(color: Color, factor: float, towards: float = 0.0) -> Color:
    """The color made darker or lighter by a factor, then mixed with white; `towards` 0..1 is the share of white."""
    c = np.asarray(color, float) * factor
    return np.clip(c * (1 - towards) + 255 * towards, 0, 255).astype(np.uint8)


def random_character_palette(rng: np.random.Generator) -> dict[str, Color]:
    """Colors of all materials that a drawn character may use, by name."""
    skin, hair, eye = random_skin_color(rng), random_hair_color(rng), random_eye_color(rng)
    cloth = [random_color(rng) for _ in range(5)]
    if rng.random() < 0.35:
        cloth[1] = color_from_hsv(rng.random(), rng.uniform(0, 0.08), rng.uniform(0.88, 1))
    if rng.random() < 0.25:
        cloth[2] = color_from_hsv(rng.random(), rng.uniform(0.1, 0.5), rng.uniform(0.12, 0.35))
    white = color_from_hsv(rng.random(), 0.02, rng.uniform(0.94, 1))
    ink = jitter(rng, np.array([34.0, 26, 32]), 8)
    lips = np.clip(np.asarray(skin, float) * [0.86, 0.55, 0.55] + [22, 0, 5], 0, 255).astype(np.uint8)
    return {
        "skin": skin,
        "blush": np.clip(np.asarray(skin, float) * [1.0, 0.84, 0.82], 0, 255).astype(np.uint8),
        "mouth": np.array([150, 52, 58], np.uint8),
        "lips": lips,
        "tongue": np.array([224, 118, 118], np.uint8),
        "hair": hair,
        "hair_light": scale_color(hair, 1.12, 0.25),
        "hair_dark": scale_color(hair, 0.72),
        "streak": random_color(rng),
        "iris": eye,
        "iris_dark": scale_color(eye, 0.5),
        "iris_light": scale_color(eye, 1.1, 0.4),
        "white": white,
        "eye": white,
        "ink": ink,
        "brow": scale_color(hair, 0.6) if rng.random() < 0.7 else ink,
        "top": cloth[0],
        "shirt": cloth[1],
        "bottom": cloth[2],
        "accent": cloth[3],
        "shoes": cloth[4]
        if rng.random() < 0.5
        else color_from_hsv(rng.uniform(0.02, 0.1), rng.uniform(0.3, 0.7), rng.uniform(0.2, 0.55)),
        "socks": white if rng.random() < 0.4 else random_color(rng),
        "trim": random_color(rng) if rng.random() < 0.6 else white,
        "metal": jitter(rng, np.array([216.0, 184, 92]) if rng.random() < 0.5 else np.array([186.0, 190, 200]), 12),
        "leather": jitter(rng, np.array([122.0, 78, 48]), 22),
        "glass": np.array([205, 226, 240], np.uint8),
        "bow": random_color(rng),
        "extra": random_color(rng),
    }
