"""Where the figure is: mini's guess for drawings without a mask and references without one, usable by every family."""

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
"""Ink that counts for the box of the lines."""
MARGIN = 0.06
"""Paper kept around the box of the lines, as a fraction of its longer side."""


@dataclass(frozen=True)
class View:
    """A part of a picture (top, left, height, width), mirrored or not, its ink to the power of ``gamma``."""

    top: int
    left: int
    height: int
    width: int
    mirrored: bool
    gamma: float


class MiniSegmenter:
    """See ``backend.contract.family.ForegroundSegmenter``.

    Several views of a picture are guessed in one batch, and their mean is moved to the picture's own lines or colors.
    """

    mask_warnings: tuple[str, ...] = ()

    def __init__(self, network: ForegroundUNet) -> None:
        self._network = network.eval()

    @staticmethod
    def load(folder: ModelFolder, device: str = "cpu") -> "MiniSegmenter":
        """The guesser alone, for a family that has none.  Raises LinewashError MODEL_MISSING or MODEL_CORRUPT."""
        return MiniSegmenter(load_network(folder, "foreground", ForegroundUNet, device))

    def guess_drawing_mask(self, ink: Gray) -> Gray:
        """(H, W) figure mask 0..255 guessed from (H, W) ink, 255 = line; it follows the lines."""
        return snap_to_lines(self.predict_from_lines(ink), ink)

    def guess_reference_mask(self, rgb: Rgb) -> Gray:
        """(h, w) figure mask 0..255 guessed from a color picture (h, w, 3); its edge follows the picture's colors."""
        return snap_to_colors(self.predict_from_colors(rgb), rgb)

    def predict_from_lines(self, ink: Gray) -> Gray:
        """What the network alone thinks of a drawing (H, W)."""
        views = drawing_views(ink)
        lines = np.stack([_apply_gamma(_crop_view(ink, view, SIDE, 0), view.gamma) for view in views])
        return self._predict(lines, np.zeros((len(views), SIDE // 2, SIDE // 2, 3), np.float32), 0.0, views, ink.shape)

    def predict_from_colors(self, rgb: Rgb) -> Gray:
        """What the network alone thinks of a color picture (h, w, 3)."""
        views = [View(0, 0, rgb.shape[0], rgb.shape[1], mirrored, 1.0) for mirrored in (False, True)]
        pictures = [_crop_view(rgb, view, SIDE, 255) for view in views]
        lines = np.stack([_apply_gamma(lines_from_color(picture), 1.0) for picture in pictures])
        colors = np.stack([(_crop_view(rgb, view, SIDE // 2, 255) / 255).astype(np.float32) for view in views])
        return self._predict(lines, colors, 1.0, views, rgb.shape)

    @torch.inference_mode()
    def _predict(self, lines: Floats, rgb: Floats, colored: float, views: list[View], shape: tuple[int, ...]) -> Gray:
        """Mean of what is seen in the views, (H, W); lines (n, SIDE, SIDE) and rgb (n, SIDE/2, SIDE/2, 3) are 0..1."""
        colors = torch.from_numpy(np.ascontiguousarray(rgb.transpose(0, 3, 1, 2)))
        logits = self._network(torch.from_numpy(lines)[:, None], colors, torch.full((len(views),), colored))
        total, seen = np.zeros((2, *shape[:2]), np.float32)
        for share, view in zip(logits.sigmoid()[:, 0].numpy(), views, strict=True):
            part = np.s_[view.top : view.top + view.height, view.left : view.left + view.width]
            total[part] += _uncrop_view(share, view)
            seen[part] += 1
        return np.rint(total / seen * 255).astype(np.uint8)


def drawing_views(ink: Gray) -> list[View]:
    """The whole drawing, as it is and mirrored with faint lines strengthened; and the box that holds its lines.

    Light clothes have faint outlines, which shrink to nothing at the network's size; and a figure that is small on its
    paper, or cut off short of its edge, is easier to tell when it fills the picture.
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


def _crop_view(picture: np.ndarray, view: View, side: int, fill: int) -> np.ndarray:
    part = picture[view.top : view.top + view.height, view.left : view.left + view.width]
    square = letterbox(np.ascontiguousarray(part), side, fill)[0]
    return np.ascontiguousarray(square[:, ::-1]) if view.mirrored else square


def _apply_gamma(ink: Gray, gamma: float) -> Floats:
    return ((ink / 255) ** gamma).astype(np.float32)


def _uncrop_view(share: Floats, view: View) -> Floats:
    """From a square (SIDE, SIDE) back to the view's part of the picture."""
    box = letterbox_box(view.width, view.height, SIDE)
    square = share[:, ::-1] if view.mirrored else share
    inner = np.ascontiguousarray(square[box.top : box.top + box.height, box.left : box.left + box.width])
    resized: Any = cv2.resize(inner, (view.width, view.height), interpolation=cv2.INTER_LINEAR)
    return resized
