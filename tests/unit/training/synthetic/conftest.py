"""A tiny rigged model written byte by byte, and small comic panels, so that nothing from outside is needed."""

import json
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest


def _cube() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A box of 1 x 1.6 x 0.6 with flat faces: points, normals, texture coordinates, faces."""
    points, normals, uv, faces = [], [], [], []
    for axis in range(3):
        for side in (-1, 1):
            u, v = (axis + 1) % 3, (axis + 2) % 3
            base = len(points)
            for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
                point = np.zeros(3)
                point[axis], point[u], point[v] = side, a, b
                points.append(point * [0.5, 0.8, 0.3])
                normals.append(np.eye(3)[axis] * side)
                # One quarter of the texture for each axis.
                uv.append(((axis % 2) * 0.5 + 0.25, (axis // 2) * 0.5 + 0.25))
            faces += [base, base + 1, base + 2, base, base + 2, base + 3]
    return np.array(points, "f4"), np.array(normals, "f4"), np.array(uv, "f4"), np.array(faces, "u2")


def write_glb(path: Path, tint: int = 0, joint: str = "bone", tool: str = "") -> None:
    """A character named Body on one `joint`, with a turning animation, a morph, a palette of four colors and perhaps a thing
    of the name `tool` in its hand; `tint` makes its bytes differ."""
    points, normals, uv, faces = _cube()
    texture = np.zeros((8, 8, 3), np.uint8)
    texture[:4, :4], texture[:4, 4:], texture[4:, :4], texture[4:, 4:] = (40, 60, 200 - tint), (60, 180, 60), (200, 90, 40), 250
    turns = np.array([[0, 0, 0, 1], [0, np.sin(0.4), 0, np.cos(0.4)]], "f4")
    blocks: list[tuple[bytes, dict[str, object] | None]] = [
        (points.tobytes(), {"componentType": 5126, "count": 24, "type": "VEC3"}),
        (normals.tobytes(), {"componentType": 5126, "count": 24, "type": "VEC3"}),
        (uv.tobytes(), {"componentType": 5126, "count": 24, "type": "VEC2"}),
        (faces.tobytes(), {"componentType": 5123, "count": 36, "type": "SCALAR"}),
        (np.zeros((24, 4), "u1").tobytes(), {"componentType": 5121, "count": 24, "type": "VEC4"}),
        (
            np.tile(np.array([255, 0, 0, 0], "u1"), (24, 1)).tobytes(),
            {"componentType": 5121, "count": 24, "type": "VEC4", "normalized": True},
        ),
        (np.eye(4, dtype="f4").tobytes(), {"componentType": 5126, "count": 1, "type": "MAT4"}),
        (np.array([0, 1], "f4").tobytes(), {"componentType": 5126, "count": 2, "type": "SCALAR"}),
        (turns.tobytes(), {"componentType": 5126, "count": 2, "type": "VEC4"}),
        ((points * 0.2).astype("f4").tobytes(), {"componentType": 5126, "count": 24, "type": "VEC3"}),
        (cv2.imencode(".png", texture)[1].tobytes(), None),
    ]
    blob, views, accessors = b"", [], []
    for data, accessor in blocks:
        views.append({"buffer": 0, "byteOffset": len(blob), "byteLength": len(data)})
        if accessor is not None:
            accessors.append({"bufferView": len(views) - 1, **accessor})
        blob += data + b"\0" * (-len(data) % 4)
    attributes = {"POSITION": 0, "NORMAL": 1, "TEXCOORD_0": 2, "JOINTS_0": 4, "WEIGHTS_0": 5}
    hand: list[dict[str, object]] = [{"name": "handslot.r", "children": [3]}, {"name": tool, "mesh": 0}] if tool else []
    tree = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0, 1, 2] if tool else [0, 1]}],
        "nodes": [{"name": joint}, {"name": "Body", "mesh": 0, "skin": 0}, *hand],
        "meshes": [{"primitives": [{"attributes": attributes, "indices": 3, "material": 0, "targets": [{"POSITION": 9}]}]}],
        "skins": [{"joints": [0], "inverseBindMatrices": 6}],
        "materials": [{"name": "paint", "pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}],
        "textures": [{"source": 0}],
        "images": [{"bufferView": 10, "mimeType": "image/png"}],
        "animations": [
            {
                "channels": [{"sampler": 0, "target": {"node": 0, "path": "rotation"}}],
                "samplers": [{"input": 7, "output": 8}],
            }
        ],
        "accessors": accessors,
        "bufferViews": views,
        "buffers": [{"byteLength": len(blob)}],
    }
    text = json.dumps(tree).encode()
    text += b" " * (-len(text) % 4)
    body = struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", len(blob), 0x004E4942) + blob
    path.write_bytes(struct.pack("<III", 0x46546C67, 2, 12 + len(body)) + body)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models for training, the held-out one, and a copy of it under another name."""
    folder = tmp_path_factory.mktemp("models")
    write_glb(folder / "Hero.glb")
    write_glb(folder / "Other.glb", 30)
    write_glb(folder / "Mage.glb", 60)
    (folder / "Renamed.glb").write_bytes((folder / "Mage.glb").read_bytes())
    return folder


@pytest.fixture(scope="session")
def heads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models that have a head and hold a knife: one for training, the held-out one, and a copy of it under another name."""
    folder = tmp_path_factory.mktemp("heads")
    write_glb(folder / "Hero.glb", 0, "head", "Knife")
    write_glb(folder / "Mage.glb", 60, "head", "Knife")
    (folder / "Renamed.glb").write_bytes((folder / "Mage.glb").read_bytes())
    return folder


@pytest.fixture(scope="session")
def panels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Panels of an early episode, of a held-out one, and a copy of that one under an early name."""
    folder = tmp_path_factory.mktemp("panels")
    rng = np.random.default_rng(3)
    for name in ("E01P01_00", "E01P01_01", "E02P01_00", "E19P01_00", "E20P03_01"):
        page = np.full((240, 300, 3), rng.integers(120, 255, 3), np.uint8)
        for _ in range(6):
            at = (int(rng.integers(300)), int(rng.integers(240)))
            cv2.circle(page, at, int(rng.integers(20, 70)), tuple(int(x) for x in rng.integers(40, 255, 3)), -1, cv2.LINE_AA)
            cv2.circle(page, at, 30, (20, 20, 20), 2, cv2.LINE_AA)
        cv2.imwrite(str(folder / f"{name}.png"), page)
    (folder / "E03P01_00.png").write_bytes((folder / "E19P01_00.png").read_bytes())
    (folder / "notes.txt").write_text("not a panel")
    return folder
