"""Rigged glTF models: geometry, skeleton, morphs, animations and textures, posed on the CPU."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.spatial.transform import Rotation

from backend.training.synthetic.rigged3d.glb import Glb

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Part:
    """One primitive of a mesh."""

    name: str
    """Name of its node."""
    node: int
    """Number of its node."""
    skin: int | None
    """Number of its skin; None = it moves with its node."""
    material: int
    """Number of its material."""
    points: Floats
    """(N, 3): vertices."""
    normals: Floats
    """(N, 3)."""
    uv: Floats
    """(N, 2): texture coordinates."""
    faces: NDArray[np.uint32]
    """(3F,): vertices of triangles."""
    morphs: tuple[Floats, ...]
    """(N, 3) each: displacements of a full morph."""
    joints: NDArray[np.int64] | None
    """(N, 4): joints of the skin that move a vertex."""
    weights: Floats | None
    """(N, 4): shares of these joints; their sum is 1."""


@dataclass(frozen=True)
class PosedPart:
    """A part in world space."""

    part: Part
    points: Floats
    """(N, 3)."""
    normals: Floats
    """(N, 3), of length 1."""


@dataclass(frozen=True)
class Track:
    """One animated property of one node."""

    node: int
    path: str
    """translation, rotation or scale."""
    times: Floats
    """(K,): seconds."""
    values: Floats
    """(K, 3), or (K, 4) for a rotation."""


class Model:
    """The model in a .glb file."""

    def __init__(self, file: Path) -> None:
        self.glb = Glb(file)
        tree = self.glb.tree
        self.nodes: list[dict[str, Any]] = tree["nodes"]
        self.parent = {child: i for i, node in enumerate(self.nodes) for child in node.get("children", [])}
        self.order = self._parents_first()
        self.rest = [self._local_transform(node) for node in self.nodes]
        self.skins: list[list[int]] = [s["joints"] for s in tree.get("skins", [])]
        binds = [self.glb.array(s["inverseBindMatrices"]) for s in tree.get("skins", [])]
        # glTF stores matrices column by column.
        self.binds = [b.reshape(-1, 4, 4).transpose(0, 2, 1) for b in binds]
        self.materials: list[str] = [m.get("name", f"material {k}") for k, m in enumerate(tree["materials"])]
        self.parts = tuple(self._parts())
        self.animations = tuple(self._tracks(a) for a in tree.get("animations", []))

    def _parents_first(self) -> list[int]:
        """Node numbers, parents before children."""
        tree = self.glb.tree
        order: list[int] = []
        stack: list[int] = list(reversed(tree["scenes"][tree.get("scene", 0)]["nodes"]))
        while stack:
            i = stack.pop()
            order.append(i)
            stack.extend(reversed(self.nodes[i].get("children", [])))
        return order

    @staticmethod
    def _local_transform(node: dict[str, Any]) -> tuple[Floats, Floats, Floats]:
        """Translation, rotation (x, y, z, w) and scale of a node; a matrix is decomposed, which is exact without shear."""
        if "matrix" in node:
            m = np.array(node["matrix"], float).reshape(4, 4).T
            scale = np.linalg.norm(m[:3, :3], axis=0)
            return m[:3, 3], Rotation.from_matrix(m[:3, :3] / scale).as_quat(), scale
        return (
            np.array(node.get("translation", [0, 0, 0]), float),
            np.array(node.get("rotation", [0, 0, 0, 1]), float),
            np.array(node.get("scale", [1, 1, 1]), float),
        )

    def _parts(self) -> list[Part]:
        """All primitives with texture coordinates."""
        return [
            self._part(number, node, primitive)
            for number, node in enumerate(self.nodes)
            if "mesh" in node
            for primitive in self.glb.tree["meshes"][node["mesh"]]["primitives"]
            if "TEXCOORD_0" in primitive["attributes"]
        ]

    def _part(self, number: int, node: dict[str, Any], primitive: dict[str, Any]) -> Part:
        read, a = self.glb.array, primitive["attributes"]
        joints: NDArray[np.int64] | None = None
        weights: Floats | None = None
        if "skin" in node and "JOINTS_0" in a:
            joints = read(a["JOINTS_0"]).astype(np.int64)
            weights = read(a["WEIGHTS_0"]).astype(float)
            weights = weights / np.maximum(weights.sum(1, keepdims=True), 1e-6)
        return Part(
            name=node.get("name", ""),
            node=number,
            skin=node.get("skin"),
            material=primitive.get("material", 0),
            points=read(a["POSITION"]).astype(float),
            normals=read(a["NORMAL"]).astype(float),
            uv=read(a["TEXCOORD_0"]).astype(float),
            faces=read(primitive["indices"]).ravel().astype(np.uint32),
            morphs=tuple(read(t["POSITION"]).astype(float) for t in primitive.get("targets", [])),
            joints=joints,
            weights=weights,
        )

    def _tracks(self, animation: dict[str, Any]) -> tuple[Track, ...]:
        """The channels that move nodes.  Cubic splines are left out; no model here uses them."""
        out: list[Track] = []
        for channel in animation["channels"]:
            sampler, target = animation["samplers"][channel["sampler"]], channel["target"]
            times = self.glb.array(sampler["input"]).ravel().astype(float)
            values = self.glb.array(sampler["output"]).astype(float)
            if target["path"] in ("translation", "rotation", "scale") and len(values) == len(times):
                out.append(Track(target["node"], target["path"], times, values))
        return tuple(out)

    def texture(self, material: int) -> Image.Image | None:
        """The base color texture of a material, or None when it is not in the file."""
        tree = self.glb.tree
        texture = tree["materials"][material].get("pbrMetallicRoughness", {}).get("baseColorTexture")
        return None if texture is None else self.glb.image(tree["textures"][texture["index"]]["source"])

    def base_color(self, material: int) -> tuple[float, float, float]:
        """The base color factor of a material, 0..1."""
        pbr = self.glb.tree["materials"][material].get("pbrMetallicRoughness", {})
        r, g, b = pbr.get("baseColorFactor", [1, 1, 1, 1])[:3]
        return float(r), float(g), float(b)

    def pose(
        self,
        animation: int | None = None,
        moment: float = 0.0,
        turns: Mapping[str, tuple[float, float, float]] = MappingProxyType({}),
        morphs: Mapping[int, float] = MappingProxyType({}),
    ) -> list[PosedPart]:
        """All parts in world space.

        moment: 0..1 of the animation.  turns: by name of node, degrees about the axes of the world, on top of the rest pose.
        morphs: weights by number of morph.
        """
        local = list(self.rest)
        if animation is not None:
            for track in self.animations[animation]:
                # The first key from that moment on; poses between keys are not needed.
                k = min(int(np.searchsorted(track.times, moment * track.times[-1])), len(track.times) - 1)
                t, r, s = local[track.node]
                v = track.values[k]
                local[track.node] = {"translation": (v, r, s), "rotation": (t, v, s), "scale": (t, r, v)}[track.path]
        # Matrices from each node to the world: in this pose, and at rest without the turns.
        world: dict[int, Floats] = {}
        rest: dict[int, Floats] = {}
        for i in self.order:
            t, r, s = local[i]
            m = np.eye(4)
            m[:3, :3] = Rotation.from_quat(r).as_matrix() * s
            m[:3, 3] = t
            above = world[self.parent[i]] if i in self.parent else np.eye(4)
            above_rest = rest[self.parent[i]] if i in self.parent else np.eye(4)
            rest[i], w = above_rest @ m, above @ m
            name = self.nodes[i].get("name", "")
            if name in turns:
                # Turn about the axes of the world at rest, as the joints above have turned them by now.
                parent_turn = above[:3, :3] @ np.linalg.inv(above_rest[:3, :3])
                turn = Rotation.from_euler("xyz", turns[name], degrees=True).as_matrix()
                w = w.copy()
                w[:3, :3] = parent_turn @ turn @ np.linalg.inv(parent_turn) @ w[:3, :3]
            world[i] = w
        return [self._deform(part, world, morphs) for part in self.parts]

    def _deform(self, part: Part, world: Mapping[int, Floats], morphs: Mapping[int, float]) -> PosedPart:
        points = part.points
        # Morphs come before the skin, as glTF defines.
        for k, weight in morphs.items():
            if k < len(part.morphs):
                points = points + weight * part.morphs[k]
        if part.joints is not None and part.weights is not None and part.skin is not None:
            # Linear blend skinning: a vertex follows the weighted mean of its joints' matrices.
            bones = np.stack([world[j] @ self.binds[part.skin][k] for k, j in enumerate(self.skins[part.skin])])
            m = np.einsum("vk,vkij->vij", part.weights, bones[part.joints])
            points, normals = (
                np.einsum("vij,vj->vi", m[:, :3, :3], points) + m[:, :3, 3],
                np.einsum("vij,vj->vi", m[:, :3, :3], part.normals),
            )
        else:
            m = world[part.node]
            points, normals = points @ m[:3, :3].T + m[:3, 3], part.normals @ m[:3, :3].T
        return PosedPart(part, points, normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-6))
