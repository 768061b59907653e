"""Renders posed 3D parts as a cel-shaded drawing with exact lines and mask, by OpenGL without a window (EGL)."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import moderngl
import numpy as np
from numpy.typing import NDArray

from backend.imaging.types import Rgba
from backend.training.synthetic.render.canvas import draw_outlines
from backend.training.synthetic.render.shading import Shading
from backend.training.synthetic.rigged3d.gltf import PosedPart
from backend.training.synthetic.rigged3d.lighting import shade_render
from backend.training.synthetic.types import View

VERTEX = """#version 330
in vec3 p; in vec3 n; in vec2 t; uniform mat4 mvp; uniform mat3 nm; out vec3 vn; out vec2 vt;
void main() { gl_Position = mvp * vec4(p, 1); vn = nm * n; vt = t; }"""
FRAGMENT = """#version 330
in vec3 vn; in vec2 vt; uniform sampler2D tx; uniform float id;
layout(location=0) out vec4 color; layout(location=1) out vec4 guide;
void main() {
  vec4 a = texture(tx, vt); if (a.a < 0.5) discard;
  vec3 n = normalize(vn); if (!gl_FrontFacing) n = -n;
  color = vec4(a.rgb, 1);
  guide = vec4(n * 0.5 + 0.5, id / 255.0);
}"""
NEAR, FAR = 0.1, 50.0


@dataclass(frozen=True)
class Camera:
    """A camera that looks at a point."""

    center: tuple[float, float, float]
    """The point."""
    distance: float
    """From the point, in units."""
    yaw: float
    """Radians; 0 = from the front."""
    pitch: float
    """Radians; 0 = from the same height."""
    roll: float = 0.0
    """Radians."""
    angle: float = 30.0
    """Vertical view angle, degrees."""

    def matrices(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Projection times view, and view, both (4, 4)."""
        c = np.asarray(self.center)
        # ``out`` points from the center to the camera, which looks the other way.
        out = np.array([np.sin(self.yaw) * np.cos(self.pitch), np.sin(self.pitch), np.cos(self.yaw) * np.cos(self.pitch)])
        right = np.cross(-out, [0, 1, 0])
        right /= np.linalg.norm(right)
        up = np.cross(right, -out)
        right, up = np.cos(self.roll) * right + np.sin(self.roll) * up, np.cos(self.roll) * up - np.sin(self.roll) * right
        view = np.eye(4)
        view[:3, :3] = np.stack([right, up, out])
        view[:3, 3] = -view[:3, :3] @ (c + out * self.distance)
        k = 1 / np.tan(np.radians(self.angle) / 2)
        project = np.zeros((4, 4))
        project[0, 0] = project[1, 1] = k
        project[2, 2], project[2, 3] = (FAR + NEAR) / (NEAR - FAR), 2 * FAR * NEAR / (NEAR - FAR)
        project[3, 2] = -1
        return project @ view, view


@dataclass(frozen=True)
class RenderStyle:
    """Light, and the changes between neighboring pixels that make a line."""

    shading: Shading
    crease: float = 0.65
    """Change of the normal, 0..2."""
    step: float = 0.03
    """Change of depth, as a fraction of `reach`."""
    edge: float = 64.0
    """Change of color, summed over the channels."""


def create_offscreen_context() -> moderngl.Context:
    """An OpenGL context without a window.

    On Linux, EGL is loaded by the names that run-time packages install; names without a version come with the headers only.
    """
    if sys.platform == "linux":
        # moderngl declares its extra settings as dictionaries.
        libraries: dict[str, Any] = {"backend": "egl", "libgl": "libGL.so.1", "libegl": "libEGL.so.1"}
        return moderngl.create_context(standalone=True, **libraries)
    return moderngl.create_context(standalone=True)


class Renderer:
    """One OpenGL context with buffers for images of one size; it renders at twice that size."""

    def __init__(self, size: int) -> None:
        self.size, self.big = size, size * 2
        self.context = create_offscreen_context()
        self.program = self.context.program(vertex_shader=VERTEX, fragment_shader=FRAGMENT)
        n = (self.big, self.big)
        self.color, self.guide = self.context.texture(n, 4), self.context.texture(n, 4)
        self.depth = self.context.depth_texture(n)
        self.target = self.context.framebuffer([self.color, self.guide], self.depth)

    def close(self) -> None:
        """Release the context."""
        self.context.release()

    def render(
        self,
        parts: Sequence[PosedPart],
        textures: Mapping[int, Rgba],
        ids: Mapping[int, int],
        camera: Camera,
        style: RenderStyle,
        reach: float,
    ) -> View:
        """Draw the parts.

        textures: (h, w, 4) by material.  ids: number by material; lines run where it changes.
        reach: extent of what the camera shows, the unit of depth steps.
        """
        gl, n = self.context, self.big
        mvp, view = camera.matrices()
        self.target.use()
        self.target.clear(1, 1, 1, 0)
        gl.enable_only(moderngl.DEPTH_TEST)
        self._set("mvp", mvp.T)
        self._set("nm", view[:3, :3].T)
        gl_textures = {
            m: gl.texture((t.shape[1], t.shape[0]), 4, np.ascontiguousarray(t).tobytes()) for m, t in textures.items()
        }
        for posed in parts:
            gl_textures[posed.part.material].use(0)
            self._set("id", np.array([float(ids[posed.part.material])]))
            vertices = gl.buffer(np.hstack([posed.points, posed.normals, posed.part.uv]).astype("f4").tobytes())
            faces = gl.buffer(posed.part.faces.tobytes())
            array = gl.vertex_array(self.program, [(vertices, "3f 3f 2f", "p", "n", "t")], faces)
            array.render()
            # moderngl releases nothing by itself.
            for buffer in (array, vertices, faces):
                buffer.release()
        for texture in gl_textures.values():
            texture.release()
        # OpenGL's first row is the lowest.
        c = np.frombuffer(self.color.read(), "u1").reshape(n, n, 4)[::-1]
        g = np.frombuffer(self.guide.read(), "u1").reshape(n, n, 4)[::-1]
        # Depth buffers are not linear; this turns them into distances.
        z = np.frombuffer(self.depth.read(), "f4").reshape(n, n)[::-1]
        depth = (NEAR * FAR / (FAR - z * (FAR - NEAR))).astype(np.float32)
        return self._draw_view(c, g, depth, style, reach)

    def _set(self, name: str, value: NDArray[np.float64]) -> None:
        uniform = self.program[name]
        assert isinstance(uniform, moderngl.Uniform)
        uniform.write(np.ascontiguousarray(value).astype("f4").tobytes())

    def _draw_view(
        self, c: NDArray[np.uint8], g: NDArray[np.uint8], depth: NDArray[np.float32], style: RenderStyle, reach: float
    ) -> View:
        """Find lines where normal, material, depth or color jumps, then halve everything.

        c: (2S, 2S, 4), colors with the mask as alpha.  g: (2S, 2S, 4), normals and numbers of materials.
        """
        n = self.size
        mask = c[..., 3] > 127
        edge = np.zeros(mask.shape, np.uint8)
        colors, guides = np.ascontiguousarray(c[..., :3]), np.ascontiguousarray(g)
        for axis in (0, 1):
            jump = color_steps(guides[..., :3], axis) > style.crease * 255
            jump |= cv2.absdiff(*neighbors(guides[..., 3], axis)) > 0
            jump |= cv2.absdiff(*neighbors(depth, axis)) > style.step * reach
            jump |= color_steps(colors, axis) > style.edge
            edge[tuple(slice(0, k) for k in jump.shape)] |= jump
        # Two pixels here are one pixel of line in the end; larger images get slightly thicker lines.
        thick = cv2.dilate(edge, np.ones((2, 2) if n <= 320 else (3, 3), np.uint8))
        line = 255 - np.asarray(cv2.GaussianBlur(thick * 255, (0, 0), 0.8), np.uint8)
        solid = halve((mask | (thick > 0)).astype(np.uint8) * 255)
        colors[~mask] = 255
        line = halve(line)
        normals = cv2.resize(guides[..., :3], (n, n), interpolation=cv2.INTER_AREA).astype(np.float32) / 127.5 - 1
        rgb = shade_render(halve(colors), normals, halve_depth(depth), halve(mask.astype(np.uint8) * 255), style.shading, reach)
        draw_outlines(rgb, line, style.shading.outline_darkness)
        rgb[solid == 0] = 255
        return View(rgb, line, solid)


def neighbors(image: NDArray[Any], axis: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """The image without its last and without its first row (axis 0) or column (axis 1)."""
    return (image[:-1], image[1:]) if axis == 0 else (image[:, :-1], image[:, 1:])


def color_steps(image: NDArray[np.uint8], axis: int) -> NDArray[np.float32]:
    """Sum over the three channels of the change from one pixel to the next."""
    change = cv2.absdiff(*neighbors(image, axis))
    return np.asarray(cv2.transform(change.astype(np.float32), np.ones((1, 3), np.float32)), np.float32)


def halve_depth(depth: NDArray[np.float32]) -> NDArray[np.float32]:
    """Depth at half its size, each pixel the nearest of four."""
    return np.minimum(np.minimum(depth[::2, ::2], depth[1::2, ::2]), np.minimum(depth[::2, 1::2], depth[1::2, 1::2]))


def halve(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """An image at half its size, each pixel the mean of four."""
    h, w = image.shape[:2]
    return np.asarray(cv2.resize(image, (w // 2, h // 2), interpolation=cv2.INTER_AREA), np.uint8)
