"""Where the figure is: mini's guess for drawings without a mask and references without one, usable by every family."""

import cv2
import numpy as np
import torch

from backend.families.loading import load_network
from backend.families.mini_features import SIDE
from backend.imaging.lineart import lines_from_colour
from backend.imaging.masks import resize_mask
from backend.imaging.palette import reference_regions
from backend.imaging.regions import segment
from backend.imaging.resampling import fit, letterbox, letterbox_box
from backend.imaging.types import Gray, Rgb
from backend.networks.foreground import Foreground
from backend.weights.folder import ModelFolder

MAX_COLOUR_AREAS = 400
DECIDED = 0.8
PLAIN = 0.7
SURELY_NOT = 0.15
GAP = 0.02


class MiniMasks:
    """See ``backend.families.base.MaskGuesser``."""

    def __init__(self, network: Foreground) -> None:
        self._network = network.eval()

    @staticmethod
    def load(folder: ModelFolder) -> "MiniMasks":
        """The guesser alone, for a family that has none.  Raises LinewashError MODEL_MISSING or MODEL_CORRUPT."""
        return MiniMasks(load_network(folder, "foreground", Foreground))

    def guess_drawing_mask(self, ink: Gray) -> Gray:
        """(H, W) figure mask 0..255 guessed from (H, W) ink, 255 = line; on an empty ground it follows the lines."""
        blank = np.zeros((SIDE // 2, SIDE // 2, 3), np.uint8)
        return snapped_to_lines(self._guess(letterbox(ink, SIDE, 0)[0], blank, 0.0, ink.shape), ink)

    def guess_reference_mask(self, rgb: Rgb) -> Gray:
        """(h, w) figure mask 0..255 guessed from a colour picture (h, w, 3); its edge follows the picture's colours."""
        lines = lines_from_colour(letterbox(rgb, SIDE, 255)[0])
        guess = self._guess(lines, letterbox(rgb, SIDE // 2, 255)[0], 1.0, rgb.shape)
        return snapped_to_colours(guess, rgb)

    @torch.inference_mode()
    def _guess(self, lines: Gray, rgb: Rgb, coloured: float, shape: tuple[int, ...]) -> Gray:
        shown = torch.from_numpy(lines.astype(np.float32) / 255)[None, None]
        colour = torch.from_numpy(rgb.transpose(2, 0, 1).astype(np.float32) / 255)[None]
        share = self._network(shown, colour, torch.tensor([coloured])).sigmoid()[0, 0].numpy()
        box = letterbox_box(shape[1], shape[0], SIDE)
        inner = np.ascontiguousarray(share[box.top : box.top + box.height, box.left : box.left + box.width])
        return np.rint(cv2.resize(inner, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR) * 255).astype(np.uint8)


def snapped_to_colours(mask: Gray, rgb: Rgb) -> Gray:
    """The mask (h, w) moved to the borders of the picture's areas of one colour (h, w, 3).

    A figure on plain paper needs no guess: when one area holds ``PLAIN`` of the picture's edge, it is the ground and every area
    of another colour is figure.  Else an area of which at least ``DECIDED`` lies on one side goes there as a whole, and
    areas that hold some of both, as paintings have, are left as they are.
    """
    small = fit(rgb, SIDE)
    cut = reference_regions(small, np.full(small.shape[:2], 255, np.uint8), MAX_COLOUR_AREAS)
    soft = resize_mask(mask, small.shape[1], small.shape[0])
    count = len(cut.palette_index)
    labels = np.where(cut.labels < 0, count, cut.labels)  # the small remains belong to no area
    pixels = np.maximum(np.bincount(labels.ravel(), minlength=count + 1), 1)
    share = np.bincount(labels.ravel(), weights=soft.ravel() / 255.0, minlength=count + 1) / pixels
    decided = (share > DECIDED) | (share < 1 - DECIDED)
    ground = _plain_ground(labels, count)
    if ground is not None:
        other = np.append(cut.palette_index != cut.palette_index[ground], False)
        share, decided = np.where(other, 1.0, share), decided | other
        share[ground], decided[ground] = 0.0, True
    decided[count] = False
    snapped = np.where(decided[labels], np.where(share[labels] > 0.5, 255, 0), soft).astype(np.uint8)
    return resize_mask(snapped, mask.shape[1], mask.shape[0])


def snapped_to_lines(mask: Gray, ink: Gray) -> Gray:
    """The mask (h, w) of a figure on empty ground, filled up to its outline in ink (h, w); any other mask as it is.

    The ground is empty when one region holds ``PLAIN`` of the picture's edge and mostly lies outside.  What the lines then
    close off is figure, unless the guess is quite sure that it is not (a cloud, a sign).
    """
    small = fit(ink, 2 * SIDE)
    cut = segment(small, GAP)
    ground = _plain_ground(cut.labels, cut.count)
    soft = resize_mask(mask, small.shape[1], small.shape[0])
    pixels = np.bincount(cut.labels.ravel(), minlength=cut.count)
    share = np.bincount(cut.labels.ravel(), weights=soft.ravel() / 255.0, minlength=cut.count) / np.maximum(pixels, 1)
    if ground is None or share[ground] > 0.5:
        return mask
    figure = share > SURELY_NOT
    figure[ground] = False
    return resize_mask(np.where(figure[cut.labels], 255, 0).astype(np.uint8), mask.shape[1], mask.shape[0])


def _plain_ground(labels: np.ndarray, count: int) -> int | None:
    """The area (0..count-1) that holds most of the picture's edge, if it holds ``PLAIN`` of it."""
    edge = np.bincount(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]), minlength=count + 1)
    best = int(edge[:count].argmax()) if count else -1
    return best if best >= 0 and edge[best] >= PLAIN * edge.sum() else None
