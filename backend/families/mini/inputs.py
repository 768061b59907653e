"""Turns the pipeline's drawing and references into the tensors that mini's networks read."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from torch import Tensor

from backend.contract.drawing import Drawing, Reference
from backend.families.mini.features import GRID, SIDE, region_features, region_lab, stack_image_channels
from backend.imaging.ink import lines_from_color
from backend.imaging.masks import resize_mask
from backend.imaging.resize import Box, fit, letterbox, letterbox_box, letterbox_labels
from backend.imaging.segmentation.palette import FINE, reference_regions
from backend.imaging.types import Bools, Gray, Labels, Rgb
from backend.networks.mini.field_denoiser import REFERENCE_SIDE, warp_colors
from backend.networks.mini.flats import CELLS, ImageBatch
from shared.protocol import ReferenceRole

MAX_REFERENCE_REGIONS = 160
"""Regions that a reference is cut into at most."""


@dataclass(frozen=True)
class ReferenceRegions:
    """One reference cut into m regions of one palette color each."""

    image_batch: ImageBatch
    """A batch of one."""
    lab: Tensor
    """(1, m, 3), see ``flats.Palette.lab``."""
    palette: Rgb
    """(k, 3) uint8, colors that occur in the reference."""
    palette_index: np.ndarray
    """(m,) int64, the palette color of each region."""
    foreground: Bools
    """(m,) True where a region is part of the reference's foreground."""
    role: ReferenceRole
    """Which of the drawing's regions may take colors from it."""
    image: Rgb
    """(SIDE, SIDE, 3), letterboxed."""
    mask: Gray
    """(SIDE, SIDE), letterboxed, 255 = foreground."""
    labels: Labels
    """(SIDE, SIDE), letterboxed, -1 = no region."""


def letterbox_square(image: np.ndarray, side: int, fill: int) -> np.ndarray:
    """uint8 (h, w[, c]) letterboxed to (side, side[, c])."""
    return letterbox(image, side, fill)[0].astype(np.uint8, copy=False)


def square_labels(drawing: Drawing) -> tuple[np.ndarray, Box]:
    """The regions' label map letterboxed at its own size, -1 outside; and the canvas's box in a SIDE square."""
    labels = drawing.regions.labels
    height, width = drawing.ink.shape
    return letterbox_labels(labels, max(labels.shape), -1)[0], letterbox_box(width, height, SIDE)


def drawing_batch(drawing: Drawing, labels: np.ndarray) -> ImageBatch:
    """The drawing as a batch of one; labels from ``square_labels``."""
    mask = letterbox_square(drawing.mask, labels.shape[0], 0)
    arrays = region_features(labels, drawing.regions.count, mask)
    image = stack_image_channels(letterbox_square(drawing.ink, SIDE, 0), letterbox_square(drawing.mask, SIDE, 0), 0.0)
    return _batch(image, arrays.pool, arrays.geometry)


def _batch(image: np.ndarray, pool: np.ndarray, geometry: np.ndarray) -> ImageBatch:
    """A batch of one."""
    channels = torch.from_numpy(image)[None].contiguous(memory_format=torch.channels_last)
    valid = torch.ones(1, len(pool), dtype=torch.bool)
    return ImageBatch(channels, torch.from_numpy(pool)[None], torch.from_numpy(geometry)[None], valid)


def cut_reference(reference: Reference) -> ReferenceRegions:
    """Cut a reference into regions of one palette color each, at the size that the network was trained with."""
    rgb = fit(reference.rgb, SIDE)
    mask = resize_mask(reference.mask, rgb.shape[1], rgb.shape[0])
    cut = reference_regions(rgb, mask, MAX_REFERENCE_REGIONS, FINE)
    # Cut first, letterboxed then: no region may hold any of the margin.
    labels = letterbox_labels(cut.labels, SIDE, -1)[0]
    count = len(cut.palette_index)
    square_mask = letterbox_square(mask, SIDE, 0)
    arrays = region_features(labels, count, square_mask)
    image = stack_image_channels(letterbox_square(lines_from_color(rgb), SIDE, 0), square_mask, 1.0)
    # The network reads the medians; the result shows colors that occur in the reference at its full size.
    palette = _nearest_occurring_colors(cut.palette, cut.palette_foreground, reference.rgb, reference.mask)
    lab = torch.from_numpy(region_lab(cut.palette, cut.palette_index))[None]
    foreground = cut.palette_foreground[cut.palette_index]
    return ReferenceRegions(
        _batch(image, arrays.pool, arrays.geometry),
        lab,
        palette,
        cut.palette_index.astype(np.int64),
        foreground,
        reference.role,
        letterbox_square(rgb, SIDE, 255),
        square_mask,
        labels,
    )


def references_for_matching(drawing: Drawing) -> tuple[Reference, ...]:
    """The drawing's references, without their masks when the drawing has no foreground: then all their colors may be used."""
    if drawing.regions.foreground.any():
        return drawing.references
    return tuple(replace(r, mask=np.zeros_like(r.mask)) for r in drawing.references)


def _nearest_occurring_colors(palette: Rgb, palette_foreground: Bools, rgb: Rgb, mask: Gray) -> Rgb:
    """For each palette color, the nearest color in the same layer of the reference: a palette's medians may not occur in it."""
    result = palette.copy()
    inside = mask > 127
    for layer in (False, True):
        entries = np.flatnonzero(palette_foreground == layer)
        pixels = rgb[inside == layer].astype(np.int32)
        if not len(entries) or not len(pixels):
            continue
        codes = np.unique(pixels[:, 0] << 16 | pixels[:, 1] << 8 | pixels[:, 2])
        colors = np.stack([codes >> 16, codes >> 8 & 255, codes & 255], 1)
        for k in entries:
            result[k] = colors[((colors - palette[k].astype(np.int32)) ** 2).sum(1).argmin()]
    return result


def shading_reference(references: tuple[Reference, ...]) -> tuple[Tensor, Tensor]:
    """The reference that shows how to shade: (1, 3, 128, 128) sRGB 0..1, and its foreground mask (1, 1, 32, 32).

    Shading is a style, and styles of several images do not mix: it is the first that may color the foreground, else the first.
    """
    chosen = next((r for r in references if r.role != ReferenceRole.BACKGROUND), references[0])
    rgb = letterbox_square(chosen.rgb, REFERENCE_SIDE, 255).astype(np.float32) / 255
    small_mask = cv2.resize(letterbox_square(chosen.mask, REFERENCE_SIDE, 0), (32, 32), interpolation=cv2.INTER_AREA)
    share = small_mask.astype(np.float32) / 255
    return torch.from_numpy(rgb.transpose(2, 0, 1).copy())[None], torch.from_numpy(share)[None, None]


def warp_reference_colors(correspondence: Tensor, references: tuple[ReferenceRegions, ...]) -> Tensor:
    """The references' colors, warped to the drawing: (1, 4, CELLS, CELLS), sRGB 0..1 and confidence 0..1.

    correspondence: (1, CELLS^2, R CELLS^2) probabilities.
    """
    small = [cv2.resize(r.image, (CELLS, CELLS), interpolation=cv2.INTER_AREA).reshape(-1, 3) for r in references]
    return warp_colors(correspondence, torch.from_numpy(np.concatenate(small).astype(np.float32) / 255)[None])


def field_mask(drawing: Drawing) -> Tensor:
    """(1, 1, GRID, GRID) share of foreground 0..1."""
    mask = (
        cv2.resize(letterbox_square(drawing.mask, SIDE, 0), (GRID, GRID), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    )
    return torch.from_numpy(mask)[None, None]


def field_ink(drawing: Drawing) -> Tensor:
    """(1, 1, SIDE, SIDE) ink 0..1."""
    return torch.from_numpy(letterbox_square(drawing.ink, SIDE, 0).astype(np.float32) / 255)[None, None]


def field_anchor(labels: np.ndarray, flats: Rgb) -> Tensor:
    """The flats drawn at field size, (1, 3, GRID, GRID) sRGB 0..1, white outside the canvas; labels square, -1 outside."""
    colors = np.concatenate([flats, np.full((1, 3), 255, np.uint8)])
    drawn = cv2.resize(colors[labels], (GRID, GRID), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return torch.from_numpy(drawn.transpose(2, 0, 1).copy())[None]
