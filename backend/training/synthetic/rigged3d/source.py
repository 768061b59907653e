"""Source of rigged 3D characters: one character in new colors, in two poses and from two cameras."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from backend.imaging.types import Rgba
from backend.training.synthetic.compose import compose
from backend.training.synthetic.render.recolor import ColorReplacement
from backend.training.synthetic.render.shading import random_shading, vary_light
from backend.training.synthetic.rigged3d.gltf import PosedPart
from backend.training.synthetic.rigged3d.renderer import Camera, Renderer, RenderStyle
from backend.training.synthetic.rigged3d.rigs import RIGS, Character
from backend.training.synthetic.scenes.backgrounds import Backgrounds
from backend.training.synthetic.types import DrawingSet, View

CHARACTER_HEIGHT = 1.8
"""Units; the near and far planes of the camera suit this size."""
MAX_TRIES = 40
"""Poses and cameras that are tried until enough of the character shows."""


def random_style(rng: np.random.Generator, depth_step: float) -> RenderStyle:
    """A random artist's light, and thresholds of lines.  depth_step: see ``RenderStyle.step``."""
    return RenderStyle(random_shading(rng), crease=rng.uniform(0.5, 0.8), step=depth_step, edge=rng.uniform(55, 75))


def random_camera(rng: np.random.Generator, who: Character, parts: list[PosedPart]) -> tuple[Camera, float]:
    """A camera on the whole character, its upper half or its head; and the extent of what it shows, in units."""
    points = np.vstack([p.points for p in parts])
    lo, hi = points.min(0), points.max(0)
    center, reach = (lo + hi) / 2, float((hi - lo).max())
    crop = rng.random()
    if crop > 0.42:
        near = crop >= 0.85
        if who.rig:
            share = rng.uniform(0.78, 0.88) if near else rng.uniform(0.7, 0.82)
            wide = rng.uniform(0.3, 0.42) if near else rng.uniform(0.42, 0.66)
        else:
            # These models have big heads: the middle of the head is lower, and a bust is wider.
            share = rng.uniform(0.58, 0.68)
            wide = 1.45 * (rng.uniform(0.3, 0.42) if near else rng.uniform(0.42, 0.66))
        reach = float(hi[1] - lo[1]) * wide
        middle = np.median(points, axis=0)
        center = np.array([middle[0], lo[1] + (hi[1] - lo[1]) * share, middle[2]])
    center = center + rng.normal(0, 0.05, 3) * reach
    camera = Camera(
        center=(float(center[0]), float(center[1]), float(center[2])),
        distance=reach * rng.uniform(2.0, 2.5),
        # One view in seven is from anywhere around, one in five from well above or below.
        yaw=float(rng.normal(0, 0.65)) if rng.random() < 0.86 else float(rng.uniform(-np.pi, np.pi)),
        pitch=float(rng.normal(0.05, 0.12)) if rng.random() < 0.8 else float(rng.uniform(-0.4, 0.55)),
        roll=float(rng.normal(0, 0.06)),
    )
    return camera, reach


def scale_to_height(parts: list[PosedPart]) -> list[PosedPart]:
    """The character scaled to CHARACTER_HEIGHT."""
    y = np.concatenate([p.points[:, 1] for p in parts])
    factor = CHARACTER_HEIGHT / max(float(np.ptp(y)), 1e-6)
    return [PosedPart(p.part, p.points * factor, p.normals) for p in parts]


class Models3D:
    """Source of recolored 3D characters, for images of one size."""

    def __init__(self, name: str, files: list[Path], backgrounds: Backgrounds, size: int) -> None:
        self.name = name
        self.characters = [Character(f, RIGS.get(f.stem)) for f in files]
        self.backgrounds = backgrounds
        self.renderer = Renderer(size)

    def draw(self, rng: np.random.Generator, size: int) -> DrawingSet:
        """Two drawings of a character in new colors over a scene.  Raises ValueError for another size than the source's."""
        if size != self.renderer.size:
            raise ValueError(f"this source draws {self.renderer.size} pixels, not {size}")
        who = self.characters[int(rng.integers(len(self.characters)))]
        paint = ColorReplacement(rng)
        new = rng.random() > 0.06
        # Materials that share a texture share the recolored one, too.
        painted = {id(s): s.recolor(paint) if new else s.texture for s in who.swatches.values()}
        textures = {m: painted[id(s)] for m, s in who.swatches.items()}
        hidden = {name for name, chance in who.props.items() if rng.random() < chance}
        look = random_style(rng, 0.025 if who.rig else 0.05)
        views = [
            self.render_view(rng, who, textures, hidden, replace(look, shading=vary_light(rng, look.shading))) for _ in range(2)
        ]
        return compose(rng, views[0], views[1], self.backgrounds, size, f"{self.name}/{who.name}")

    def render_view(
        self, rng: np.random.Generator, who: Character, textures: dict[int, Rgba], hidden: set[str], style: RenderStyle
    ) -> View:
        """One random pose from one random camera; tried again when hardly anything of the character shows.

        textures: (h, w, 4) by material.  hidden: names of parts that are left out.  Raises ValueError after MAX_TRIES.
        """
        for _ in range(MAX_TRIES):
            parts = scale_to_height([p for p in who.pose(rng) if p.part.name not in hidden])
            camera, reach = random_camera(rng, who, parts)
            view = self.renderer.render(parts, textures, who.ids, camera, style, reach)
            if 0.06 < float((view.mask > 127).mean()) < 0.97 and cv2.countNonZero(255 - view.line) > view.line.size // 330:
                return view
        raise ValueError(f"nothing of {who.name} shows")
