"""Portraits of rigged 3D characters: a head in new colors, mostly facing the viewer."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from backend.training.synthetic.render.recolor import ColorReplacement
from backend.training.synthetic.rigged3d.gltf import PosedPart
from backend.training.synthetic.rigged3d.renderer import Camera, Renderer
from backend.training.synthetic.rigged3d.rigs import RIGS, Character
from backend.training.synthetic.rigged3d.source import MAX_TRIES, random_style, scale_to_height
from backend.training.synthetic.types import View

HEAD_JOINT = "head"
"""Name of the head's joint in models without a ``Rig``."""
HAND_WORD = "hand"
"""Part of the names of hand joints; what hangs on them is left out, as it may cover the face."""
HEAD_WEIGHT = 0.5
"""A point belongs to the head when the head's joint has more than this share of its weights."""
VIEW_ANGLE = 30.0
"""Vertical view angle of the camera, degrees."""


def head_points(who: Character, parts: list[PosedPart]) -> NDArray[np.float64]:
    """The points (N, 3) that the head's joint moves.  Raises ValueError for a model without any."""
    name = who.rig.head if who.rig else HEAD_JOINT
    points = np.vstack([np.zeros((0, 3)), *(p.points[_points_of_joint(who, p, name)] for p in parts)])
    if len(points) < 4:
        raise ValueError(f"{who.name} has no head: no part hangs on a joint named {name}")
    return points


def _points_of_joint(who: Character, posed: PosedPart, name: str) -> NDArray[np.bool_]:
    part, nodes = posed.part, who.model.nodes
    if part.skin is None or part.joints is None or part.weights is None:
        return np.zeros(len(posed.points), bool)
    heads = [k for k, joint in enumerate(who.model.skins[part.skin]) if nodes[joint].get("name") == name]
    return (part.weights * np.isin(part.joints, heads)).sum(1) > HEAD_WEIGHT


def parts_in_hands(who: Character) -> set[str]:
    """Names of the parts that hang on a hand's joint."""
    model = who.model
    above = {p.name: model.parent.get(p.node) for p in model.parts}
    return {name for name, node in above.items() if node is not None and HAND_WORD in model.nodes[node].get("name", "")}


def turn_upright(who: Character, parts: list[PosedPart]) -> list[PosedPart]:
    """Turn the whole character so that its head is upright as in the rest pose; in animations it may bow, fall or lie."""
    if who.rig:
        return parts  # rigs are posed by small turns, the head stays upright
    rest, here = head_points(who, who.model.pose()), head_points(who, parts)
    turn = Rotation.align_vectors(rest - rest.mean(0), here - here.mean(0))[0]
    return [PosedPart(p.part, turn.apply(p.points), turn.apply(p.normals)) for p in parts]


def head_camera(rng: np.random.Generator, head: NDArray[np.float64]) -> tuple[Camera, float]:
    """A camera on the middle of the head, from the front or at an angle; and the height of what it shows, in units."""
    lo, hi = head.min(0), head.max(0)
    tall = float((hi - lo)[:2].max())
    reach = tall * rng.uniform(1.12, 1.6)
    # A portrait leaves more room below, where the shoulders are.
    center = (lo + hi) / 2 + np.array([rng.normal(0, 0.04), rng.uniform(-0.14, 0.02), 0.0]) * tall
    camera = Camera(
        center=(float(center[0]), float(center[1]), float(center[2])),
        distance=reach / (2 * np.tan(np.radians(VIEW_ANGLE) / 2)) + float(hi[2] - lo[2]) / 2,
        yaw=float(np.clip(rng.normal(0, 0.4), -1.1, 1.1)),
        pitch=float(np.clip(rng.normal(0.03, 0.12), -0.3, 0.35)),
        roll=float(rng.normal(0, 0.08)),
        angle=VIEW_ANGLE,
    )
    return camera, reach


class Heads3D:
    """Draws portraits of the characters in .glb files, for images of one size.  Raises ValueError for one without a head."""

    def __init__(self, files: list[Path], size: int) -> None:
        self.characters = [Character(f, RIGS.get(f.stem)) for f in files]
        for who in self.characters:
            head_points(who, who.model.pose())
        self.renderer = Renderer(size)

    def draw(self, rng: np.random.Generator, size: int) -> View:
        """A portrait of a random character in new colors.  Raises ValueError for another size than the source's."""
        if size != self.renderer.size:
            raise ValueError(f"this source draws {self.renderer.size} pixels, not {size}")
        who = self.characters[int(rng.integers(len(self.characters)))]
        paint = ColorReplacement(rng)
        painted = {id(s): s.recolor(paint) for s in who.swatches.values()}
        textures = {m: painted[id(s)] for m, s in who.swatches.items()}
        hidden = parts_in_hands(who) | {name for name, chance in who.props.items() if rng.random() < chance}
        look = random_style(rng, 0.025 if who.rig else 0.05)
        for _ in range(MAX_TRIES):
            parts = turn_upright(who, scale_to_height([p for p in who.pose(rng) if p.part.name not in hidden]))
            camera, reach = head_camera(rng, head_points(who, parts))
            view = self.renderer.render(parts, textures, who.ids, camera, look, reach)
            if float((view.mask > 127).mean()) > 0.2:
                return view
        raise ValueError(f"nothing of {who.name} shows")
