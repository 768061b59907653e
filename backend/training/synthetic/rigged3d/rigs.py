"""Rigged characters: how each is posed, where its textures are, and which are held out of training."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from backend.imaging.types import Rgba
from backend.training.synthetic.render.recolor import Swatches
from backend.training.synthetic.rigged3d.gltf import Model, PosedPart

HELD_OUT_MODELS = ("Mage",)
"""Names of files that only validation uses."""
TEXTURE_SIZE = 256
"""Longest side of a texture, pixels."""
BODY_WORDS = ("Body", "Head", "Arm", "Leg")
"""Words in the names of parts that are the body and no props."""
ATLAS_SWATCH_COUNT, SWATCH_COUNT = 14, 8
"""Main colors of a palette atlas, and of a painted texture."""
LARGE_PROPS = ("robo_arm",)
"""Props that are larger than the character who carries them."""

JointAngles = dict[str, tuple[float, float, float]]
"""By name of joint: degrees about the axes of the world."""


@dataclass(frozen=True)
class Rig:
    """How a model without animations is posed."""

    arms: tuple[str, str]
    """Names of the left and the right joint."""
    forearms: tuple[str, str]
    """As ``arms``."""
    thighs: tuple[str, str]
    """As ``arms``."""
    head: str
    """Name of its joint."""
    spine: str
    """Name of its joint."""
    z_up: bool = False
    """Whether z is up in the model, instead of y."""
    faces_back: bool = False
    """Whether the model faces -z."""
    textures: tuple[tuple[str, str], ...] = ()
    """Names of materials, and of the files with the textures that the model lacks."""


GODETTE = Rig(
    ("upper_arm.l_Armature", "upper_arm.r_Armature"),
    ("lowerarm.l_Armature", "lowerarm.r_Armature"),
    ("thigh.l_Armature", "thigh.r_Armature"),
    "head_Armature",
    "chest_Armature",
    faces_back=True,
)
SEEDSAN = Rig(
    ("upper_arm.L", "upper_arm.R"),
    ("forearm.L", "forearm.R"),
    ("thigh.L", "thigh.R"),
    "head_node",
    "chest",
    z_up=True,
    textures=tuple(
        {
            "arm_mat": "robo_arm",
            "arm_plastic": "robo_arm",
            "green_emit": "robo_arm",
            "body_bake": "body",
            "eye": "faceparts",
            "eye_trans": "faceparts",
            "newhair": "hair",
            "body_nm": "body",
            "wear_metal": "body",
            "armgear_plastic": "body",
            "robo_face": "planekun_face",
            "backpack_metal": "backpack",
            "backpack_nm": "backpack",
            "backpack_plastic": "backpack",
        }.items()
    ),
)
RIGS = {"godette": GODETTE, "seedsan_fixed": SEEDSAN}
FLAT_COLORS = {"huku_bake": (96, 120, 168)}
"""Materials without a texture, and the one color that they get."""


def model_files(folder: Path, held_out: bool) -> list[Path]:
    """The .glb files sorted by name: the ones held out of training, or all others.

    A copy of a held-out file under another name is in neither list.
    """
    files = sorted(folder.glob("*.glb"))
    held_out_files = [f for f in files if f.stem in HELD_OUT_MODELS]
    if held_out:
        return held_out_files
    excluded = {hashlib.sha256(f.read_bytes()).hexdigest() for f in held_out_files}
    return [f for f in files if f.stem not in HELD_OUT_MODELS and hashlib.sha256(f.read_bytes()).hexdigest() not in excluded]


def shrink_texture(image: Image.Image, atlas: bool) -> Rgba:
    """A texture (h, w, 4) of at most TEXTURE_SIZE pixels a side.  The colors of a palette atlas are not averaged."""
    side = min(TEXTURE_SIZE, max(image.size))
    scale = side / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return np.array(image.convert("RGBA").resize(size, Image.Resampling.NEAREST if atlas else Image.Resampling.BILINEAR))


def removable_props(model: Model) -> dict[str, float]:
    """Parts that can be left out, with the probability of that: props, never parts of the body."""
    names = {part.name for part in model.parts}
    body = {name for name in names if any(word in name for word in BODY_WORDS)}
    out = dict.fromkeys(sorted(names - body), 0.55) if body and model.animations else {}
    return out | {name: 0.75 for name in sorted(names) if name in LARGE_PROPS}


class Character:
    """One model with its textures divided into main colors.

    props: see ``removable_props``.  swatches: by number of material.  ids: numbers for ``Renderer.render``, by material.
    """

    def __init__(self, file: Path, rig: Rig | None) -> None:
        self.name, self.rig, self.model = file.stem, rig, Model(file)
        self.props = removable_props(self.model)
        outside = dict(rig.textures) if rig else {}
        folder = file.parent / f"{file.stem.split('_')[0]}_textures"
        self.swatches: dict[int, Swatches] = {}
        self.ids: dict[int, int] = {}
        keys: dict[str, int] = {}
        cut: dict[str, Swatches] = {}
        for m, material in enumerate(self.model.materials):
            key = outside.get(material, material)
            if key not in cut:
                cut[key] = Swatches(
                    self._texture(m, material, outside, folder),
                    ATLAS_SWATCH_COUNT if rig is None else SWATCH_COUNT,
                    rig is None,
                )
            self.swatches[m] = cut[key]
            self.ids[m] = keys.setdefault(material, len(keys) + 1)

    def _texture(self, m: int, material: str, outside: dict[str, str], folder: Path) -> Rgba:
        if material in outside:
            return shrink_texture(Image.open(folder / f"{outside[material]}.webp"), False)
        inside = self.model.texture(m)
        if inside is not None:
            return shrink_texture(inside, self.rig is None)
        flat = FLAT_COLORS.get(material) or tuple(round(255 * c) for c in self.model.base_color(m))
        return np.broadcast_to(np.array([*flat, 255], np.uint8), (4, 4, 4)).copy()

    def pose(self, rng: np.random.Generator) -> list[PosedPart]:
        """A random moment of a random animation, or random joint angles; y is up, and the character faces +z."""
        if self.rig is None and self.model.animations:
            return self.model.pose(int(rng.integers(len(self.model.animations))), rng.uniform(0.05, 0.95))
        morphs = {int(rng.integers(15)): rng.uniform(0.5, 1.0) for _ in range(int(rng.integers(1, 3)))}
        posed = self.model.pose(None, 0.0, self._random_joint_angles(rng) if self.rig else {}, morphs)
        side = -1.0 if self.rig and self.rig.faces_back else 1.0
        out: list[PosedPart] = []
        for p in posed:
            points, normals = p.points, p.normals
            if self.rig and self.rig.z_up:
                points, normals = points[:, [0, 2, 1]] * [1, 1, -1], normals[:, [0, 2, 1]] * [1, 1, -1]
            out.append(PosedPart(p.part, points * [side, 1, side], normals * [side, 1, side]))
        return out

    def _random_joint_angles(self, rng: np.random.Generator) -> JointAngles:
        rig, out = self.rig, {}
        assert rig is not None
        # The left arm of a model that faces back lies at -x, so lowering it turns the other way.
        down = -1.0 if rig.faces_back else 1.0
        for k, s in enumerate((-1, 1)):
            # Half of the arms hang, as when people stand; the others are anywhere.
            lowered = rng.uniform(45, 78) if rng.random() < 0.5 else rng.uniform(-25, 75)
            out[rig.arms[k]] = (rng.uniform(-25, 25), rng.uniform(-30, 40), down * s * lowered)
            out[rig.forearms[k]] = (0.0, s * rng.uniform(0, 110), 0.0)
            out[rig.thighs[k]] = (rng.uniform(-45, 25), 0.0, 0.0)
        out[rig.head] = tuple(np.clip(rng.normal(0, 12, 3), -28, 28))
        out[rig.spine] = tuple(np.clip(rng.normal(0, 7, 3), -15, 15))
        if rig.z_up:
            # The same turns about the axes of a model with z up and y to the back.
            out = {name: (x, -z, y) for name, (x, y, z) in out.items()}
        return out
