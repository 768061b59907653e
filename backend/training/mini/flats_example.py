"""One example for the flats network: mirrored, moved and recolored, with the true colors of its regions and cells."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from backend.families.mini.features import (
    GRID,
    allowed_pairs,
    cell_colors,
    cell_layer_weights,
    cell_shares,
    region_features,
    region_lab,
    stack_image_channels,
)
from backend.imaging.color import lab_from_rgb
from backend.imaging.types import Bools, Floats, Gray
from backend.networks.mini.flats import CELLS
from backend.training.mini.augment import (
    apply_affine,
    apply_color_matrix,
    random_affine,
    random_color_matrix,
    rescale_affine,
)
from backend.training.mini.preprocess import NO_REGION, SIDE
from backend.training.mini.shard_dataset import ExampleArrays


@dataclass(frozen=True)
class AugmentedImage:
    """The drawing or the reference of an example, whose parts are mirrored and moved together."""

    lines: Gray
    """(SIDE, SIDE) uint8."""
    mask: Gray
    """(SIDE, SIDE) uint8."""
    labels: Gray
    """(SIDE, SIDE) uint8."""
    extra: Floats
    """(g, g, 3) float32: the shading of a drawing (1/255, g = GRID) or the colors of a reference (0..255, g = SIDE / 2)."""
    known: Gray
    """(GRID, GRID) uint8: where the shading of a drawing is known."""

    def mirror(self) -> "AugmentedImage":
        """Left to right."""
        return AugmentedImage(
            self.lines[:, ::-1], self.mask[:, ::-1], self.labels[:, ::-1], self.extra[:, ::-1], self.known[:, ::-1]
        )

    def transform(self, matrix: Floats, paper: float) -> "AugmentedImage":
        """Rotated, scaled and shifted; paper: the value of ``extra`` outside the image."""
        extra = self.extra.astype(np.float32) - paper
        return AugmentedImage(
            apply_affine(self.lines, matrix, 0, False),
            apply_affine(self.mask, matrix, 0, False),
            apply_affine(self.labels, matrix, NO_REGION, True),
            (apply_affine(extra, rescale_affine(matrix, SIDE, extra.shape[0]), 0, False) + paper).astype(np.float32),
            apply_affine(self.known, rescale_affine(matrix, SIDE, GRID), 0, False),
        )


def make_flats_example(example: ExampleArrays, rng: np.random.Generator | None) -> dict[str, np.ndarray]:
    """The arrays of one example for ``flats_task.collate``; augmented when there is a generator."""
    drawing = AugmentedImage(example["ink"], example["mask"], example["labels"], example["residual"], example["known"])
    reference = AugmentedImage(
        example["reflines"], example["refmask"], example["reflabels"], example["refsmall"], example["known"]
    )
    matrix = np.eye(3, dtype=np.float32)
    if rng is not None:
        # One change of colors for both images: the reference must still show the drawing's colors.
        matrix = random_color_matrix(rng, 0.5)
        # Mirrored and moved independently: no color may be found by its position.
        drawing = drawing.mirror() if rng.random() < 0.5 else drawing
        reference = reference.mirror() if rng.random() < 0.5 else reference
        drawing = drawing.transform(random_affine(rng, SIDE), 0) if rng.random() < 0.25 else drawing
        reference = reference.transform(random_affine(rng, SIDE), 255) if rng.random() < 0.5 else reference
        if rng.random() < 0.1:  # no masks: everything counts as foreground, as when a painter gives none
            drawing, reference = (replace(image, mask=np.full_like(image.mask, 255)) for image in (drawing, reference))
        lines = np.clip(drawing.lines.astype(np.float32) * rng.uniform(0.5, 1.5), 0, 255).astype(np.uint8)
        drawing = replace(drawing, lines=lines)
    drawing_arrays = _drawing_arrays(example, drawing, matrix)
    return {**drawing_arrays, **_reference_arrays(example, drawing_arrays["foreground"], reference, matrix)}


def _signed_labels(image: AugmentedImage) -> np.ndarray:
    """Labels as int32, -1 where there is no region."""
    return np.where(image.labels == NO_REGION, -1, image.labels.astype(np.int32))


def _drawing_arrays(example: ExampleArrays, drawing: AugmentedImage, matrix: Floats) -> dict[str, np.ndarray]:
    """The network's inputs of the drawing, the true color of each region and its weight in the loss."""
    n = int(example["count"])
    labels = _signed_labels(drawing)
    arrays = region_features(labels, n, drawing.mask)
    trusted, off = example["trusted"][:n].astype(np.float32), example["off"][:n]
    # larger regions count more, those of mixed color less, the background half
    weight = np.sqrt(trusted) * (1 - 0.8 * off / np.maximum(trusted, 1)) * (0.5 + 0.5 * arrays.foreground)
    weight = weight * (arrays.pool.sum(1) > 0)  # regions that were moved out of the image count nothing
    cells, cell_weight = _cell_targets(example, drawing, labels, matrix)
    return {
        "image": stack_image_channels(drawing.lines, drawing.mask, 0.0),
        "pool": arrays.pool,
        "geometry": arrays.geometry,
        "lab": lab_from_rgb(apply_color_matrix(matrix, example["colors"][:n])),
        "weight": (weight / max(float(weight.sum()), 1e-6)).astype(np.float32),
        "foreground": arrays.foreground,
        "cells": cells,
        "cell_weight": cell_weight,
    }


def _cell_targets(example: ExampleArrays, drawing: AugmentedImage, labels: np.ndarray, matrix: Floats) -> tuple[Floats, Floats]:
    """The drawing's true cell colors (CELLS^2, 3) Lab / 50 and their weights (CELLS^2,), which sum to 1."""
    size = (CELLS, CELLS)
    colors = np.concatenate([example["colors"], np.full((1, 3), 255, np.uint8)])  # the last one is for label -1
    flats = cv2.resize(colors[labels].astype(np.float32), size, interpolation=cv2.INTER_AREA)
    shading = cv2.resize(np.ascontiguousarray(drawing.extra, np.float32), size, interpolation=cv2.INTER_AREA)
    truth = apply_color_matrix(matrix, (np.clip(flats + shading, 0, 255) / 255).astype(np.float32))
    foreground, known = (
        cv2.resize(np.ascontiguousarray(values), size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        for values in (drawing.mask, drawing.known)
    )
    weight = (known * (0.2 + 0.8 * foreground)).ravel()
    cells = cell_colors(truth).reshape(3, -1).T
    return np.ascontiguousarray(cells), (weight / max(float(weight.sum()), 1e-6)).astype(np.float32)


def _reference_arrays(
    example: ExampleArrays, foreground: Bools, reference: AugmentedImage, matrix: Floats
) -> dict[str, np.ndarray]:
    """The network's inputs of the reference and its palette; foreground: (N,) of the drawing's regions."""
    m, k = int(example["refcount"]), int(example["palettecount"])
    labels, index = _signed_labels(reference), example["refindex"][:m].astype(np.int64)
    keys = region_features(labels, m, reference.mask)
    has_background, has_foreground = bool((~keys.foreground).any()), bool(keys.foreground.any())
    palette = apply_color_matrix(matrix, example["palette"][:k])
    return {
        "key_image": stack_image_channels(reference.lines, reference.mask, 1.0),
        "key_pool": keys.pool,
        "key_geometry": keys.geometry,
        "allowed": allowed_pairs(foreground, keys.foreground),
        "token_lab": region_lab(palette, index),
        "index": index,
        "palette_lab": lab_from_rgb(palette),
        "key_cells": cell_colors(apply_color_matrix(matrix, (reference.extra / 255).astype(np.float32))),
        "shares": cell_shares(labels, index, k),
        "sides": cell_layer_weights(np.ascontiguousarray(reference.mask), has_background, has_foreground),
    }
