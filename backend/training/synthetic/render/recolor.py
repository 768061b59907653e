"""Recolors a texture: each of its main colors gets a new one; shading within a color stays."""

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.imaging.types import Rgba
from backend.training.synthetic.render.palettes import Color, random_color, random_skin_color

Floats = NDArray[np.float32]


def is_skin_color(color: NDArray[np.floating] | Color) -> bool:
    """Whether a color (3,) lies among light to tan skins."""
    pixel = np.array([[np.clip(np.asarray(color), 0, 255)]], np.uint8)
    h, s, v = (int(x) for x in cv2.cvtColor(pixel, cv2.COLOR_RGB2HSV)[0, 0])
    pale = (h <= 10 or h > 172) and 12 <= s < 25 and v > 215
    return pale or ((h <= 20 or h > 176) and 25 <= s <= 150 and v > 140)


class ColorReplacement:
    """New colors for old ones, the same in all textures of a character.

    Near-black mostly stays black (lashes, outlines), near-white mostly stays white (eyes), and skin becomes another skin.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.skin = random_skin_color(rng).astype(np.float32)
        self.replacements: dict[tuple[int, ...], Floats] = {}

    def replace(self, old: Floats, main: bool = False) -> Floats:
        """The new color (3,) of an old one.  `main`: it covers most of the texture and is always replaced."""
        key = tuple(int(x) // 6 for x in old)
        if key not in self.replacements:
            if is_skin_color(old):
                new = np.clip(self.skin + 0.12 * (old - old.mean() - (self.skin - self.skin.mean())), 0, 255)
            elif not main and ((old.max() < 55 and self.rng.random() < 0.75) or (old.min() > 228 and self.rng.random() < 0.6)):
                new = old
            else:
                new = random_color(self.rng)
            self.replacements[key] = new.astype(np.float32)
        return self.replacements[key]


class Swatches:
    """A texture divided into its main colors.

    centers: (k, 3), the colors.  label: (h, w) of 0..k-1.  leader: (k,), the largest color of which each color is a shade;
    in a palette atlas no color is a shade of another.
    """

    def __init__(self, texture: Rgba, count: int, atlas: bool) -> None:
        rgb = texture[..., :3].reshape(-1, 3).astype(np.float32)
        sample = rgb[np.random.default_rng(0).choice(len(rgb), min(len(rgb), 6000), replace=False)]
        distinct = len(np.unique(sample.astype(int) // 8, axis=0))
        # Fixed seeds: a texture is divided the same way in every process.
        cv2.setRNGSeed(1)
        criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 1.0)
        k = max(1, min(count, distinct))
        _, _, self.centers = cv2.kmeans(sample, k, np.zeros((len(sample), 1), np.int32), criteria, 2, cv2.KMEANS_PP_CENTERS)
        self.label = ((rgb[:, None] - self.centers[None]) ** 2).sum(2).argmin(1).reshape(texture.shape[:2])
        self.texture = texture
        self.deviation = texture[..., :3] - self.centers[self.label]
        self.leader = np.arange(len(self.centers)) if atlas else self._leaders()

    def _leaders(self) -> NDArray[np.intp]:
        """A color is a shade of a larger one when both are close in a and b of Lab, and not far apart in lightness."""
        share = np.bincount(self.label.ravel(), minlength=len(self.centers))
        lab = cv2.cvtColor((self.centers[None] / 255.0).astype(np.float32), cv2.COLOR_RGB2LAB)[0]
        leader = np.arange(len(lab))
        # From the largest color down, so that no leader is a shade itself.
        for k in np.argsort(-share):
            near = (np.linalg.norm(lab[:, 1:] - lab[k, 1:], axis=1) < 12) & (np.abs(lab[:, 0] - lab[k, 0]) < 28)
            leader[near & (leader == np.arange(len(lab))) & (share <= share[k])] = leader[k]
        return leader

    def recolor(self, paint: ColorReplacement) -> Rgba:
        """The texture (h, w, 4) in new colors; pixels keep their difference to the main color."""
        share = np.bincount(self.leader[self.label.ravel()], minlength=len(self.centers)) / self.label.size
        lead = np.stack([paint.replace(self.centers[k], main=share[k] > 0.7) for k in self.leader])
        # A shade keeps its brightness relative to its leader; the deviation shrinks with a darker color.
        lift = (self.centers.mean(1) + 40) / (self.centers[self.leader].mean(1) + 40)
        new = lead * lift[:, None]
        gain = np.clip((new.mean(1) + 40) / (self.centers.mean(1) + 40), 0.4, 1.5).astype(np.float32)
        rgb = np.take(new.astype(np.float32), self.label, axis=0) + self.deviation * np.take(gain, self.label)[..., None]
        return np.dstack([np.clip(rgb, 0, 255).astype(np.uint8), self.texture[..., 3]])
