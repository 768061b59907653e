"""mini's foreground segmenter, for drawings and references without a mask; every family can use it."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch

from backend.families.mini.features import SIDE
from backend.families.runtime.network_loader import load_network
from backend.imaging.ink import lines_from_color
from backend.imaging.resize import letterbox, letterbox_box
from backend.imaging.segmentation.mask_refinement import snap_to_colors, snap_to_lines
from backend.imaging.types import Floats, Gray, Rgb
from backend.networks.mini.foreground import ForegroundUNet
from backend.weights.shipped_model import ModelFolder

MIN_INK = 40
"""Ink 0..255 above which a pixel counts for the bounding box of the lines."""
MARGIN = 0.06
"""Paper around the bounding box of the lines, as a fraction of its longer side."""


@dataclass(frozen=True)
class View:
    """A part of an image as the network is shown it."""

    top: int
    """First row, pixels."""
    left: int
    """First column, pixels."""
    height: int
    """Pixels."""
    width: int
    """Pixels."""
    mirrored: bool
    """Whether left and right are swapped."""
    gamma: float
    """Exponent of the ink 0..1; below 1 it strengthens faint lines."""


class MiniSegmenter:
    """See ``backend.contract.family.ForegroundSegmenter``.

    The network sees several views of an image in one batch; the mean of their masks is snapped to the image's lines or colors.
    """

    mask_warnings: tuple[str, ...] = ()

    def __init__(self, network: ForegroundUNet) -> None:
        self._network = network.eval()

    @staticmethod
    def load(folder: ModelFolder, device: str = "cpu") -> "MiniSegmenter":
        """The segmenter alone, for families without one.  Raises LinewashError MODEL_MISSING or MODEL_CORRUPT."""
        return MiniSegmenter(load_network(folder, "foreground", ForegroundUNet, device))

    def segment_drawing(self, ink: Gray) -> Gray:
        """(H, W) foreground mask 0..255 of (H, W) ink, 255 = line; its edge follows the lines."""
        return snap_to_lines(self.predict_from_lines(ink), ink)

    def segment_reference(self, rgb: Rgb) -> Gray:
        """(h, w) foreground mask 0..255 of a color image (h, w, 3); its edge follows the colors."""
        return snap_to_colors(self.predict_from_colors(rgb), rgb)

    def predict_from_lines(self, ink: Gray) -> Gray:
        """The network's own mask (H, W) of a drawing's ink (H, W), not snapped."""
        views = drawing_views(ink)
        lines = np.stack([_apply_gamma(_crop_view(ink, view, SIDE, 0), view.gamma) for view in views])
        return self._predict(lines, np.zeros((len(views), SIDE // 2, SIDE // 2, 3), np.float32), 0.0, views, ink.shape)

    def predict_from_colors(self, rgb: Rgb) -> Gray:
        """The network's own mask (h, w) of a color image (h, w, 3), not snapped."""
        views = [View(0, 0, rgb.shape[0], rgb.shape[1], mirrored, 1.0) for mirrored in (False, True)]
        crops = [_crop_view(rgb, view, SIDE, 255) for view in views]
        lines = np.stack([_apply_gamma(lines_from_color(crop), 1.0) for crop in crops])
        colors = np.stack([(_crop_view(rgb, view, SIDE // 2, 255) / 255).astype(np.float32) for view in views])
        return self._predict(lines, colors, 1.0, views, rgb.shape)

    @torch.inference_mode()
    def _predict(self, lines: Floats, rgb: Floats, colored: float, views: list[View], shape: tuple[int, ...]) -> Gray:
        """The mean mask (H, W) of n views; lines (n, SIDE, SIDE) and rgb (n, SIDE/2, SIDE/2, 3) are 0..1."""
        colors = torch.from_numpy(np.ascontiguousarray(rgb.transpose(0, 3, 1, 2)))
        logits = self._network(torch.from_numpy(lines)[:, None], colors, torch.full((len(views),), colored))
        # The first view is the whole image, so every pixel is counted at least once.
        total, count = np.zeros((2, *shape[:2]), np.float32)
        for share, view in zip(logits.sigmoid()[:, 0].numpy(), views, strict=True):
            part = np.s_[view.top : view.top + view.height, view.left : view.left + view.width]
            total[part] += _uncrop_view(share, view)
            count[part] += 1
        return np.rint(total / count * 255).astype(np.uint8)


def drawing_views(ink: Gray) -> list[View]:
    """The whole drawing, once as it is and once mirrored with faint lines strengthened; and the bounding box of its lines.

    Light clothes have faint outlines, which vanish at the network's size.  A foreground that is small on its paper, or cut off
    before the paper's edge, is easier to recognize when it fills the image.
    """
    height, width = ink.shape
    whole = [View(0, 0, height, width, False, 1.0), View(0, 0, height, width, True, 0.5)]
    rows, columns = np.flatnonzero((ink > MIN_INK).any(1)), np.flatnonzero((ink > MIN_INK).any(0))
    if not len(rows):
        return whole
    margin = round(MARGIN * max(rows[-1] - rows[0], columns[-1] - columns[0]))
    top, left = max(int(rows[0]) - margin, 0), max(int(columns[0]) - margin, 0)
    right = min(int(columns[-1]) + 1 + margin, width)
    return [*whole, View(top, left, int(rows[-1]) + 1 - top, right - left, False, 0.7)]


def _crop_view(image: np.ndarray, view: View, side: int, fill: int) -> np.ndarray:
    part = image[view.top : view.top + view.height, view.left : view.left + view.width]
    square = letterbox(np.ascontiguousarray(part), side, fill)[0]
    return np.ascontiguousarray(square[:, ::-1]) if view.mirrored else square


def _apply_gamma(ink: Gray, gamma: float) -> Floats:
    return ((ink / 255) ** gamma).astype(np.float32)


def _uncrop_view(share: Floats, view: View) -> Floats:
    """From a square (SIDE, SIDE) back to the view's part of the image: (view.height, view.width)."""
    box = letterbox_box(view.width, view.height, SIDE)
    square = share[:, ::-1] if view.mirrored else share
    inner = np.ascontiguousarray(square[box.top : box.top + box.height, box.left : box.left + box.width])
    resized: Any = cv2.resize(inner, (view.width, view.height), interpolation=cv2.INTER_LINEAR)
    return resized
