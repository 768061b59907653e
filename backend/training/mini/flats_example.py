"""One set as the flats network learns from it: mirrored, moved and recolored, with the truth of its regions and cells."""

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
from backend.training.mini.augment import apply_colors, at_size, color_matrix, move, random_move
from backend.training.mini.preprocess import NONE, SIDE


@dataclass(frozen=True)
class AugmentedImage:
    """One picture of a set.

    lines, mask, labels: (SIDE, SIDE) uint8.  extra: (g, g, 3) float32, what else moves with it: the drawing's shading
    (1/255, GRID) or the reference's colors (0..255, SIDE / 2).  known: (GRID, GRID) uint8, where the shading is known.
    """

    lines: Gray
    mask: Gray
    labels: Gray
    extra: Floats
    known: Gray

    def mirrored(self) -> "AugmentedImage":
        """Left to right."""
        return AugmentedImage(
            self.lines[:, ::-1], self.mask[:, ::-1], self.labels[:, ::-1], self.extra[:, ::-1], self.known[:, ::-1]
        )

    def moved(self, matrix: Floats, paper: float) -> "AugmentedImage":
        """Turned, scaled and shifted; paper: what ``extra`` is outside."""
        extra = self.extra.astype(np.float32) - paper
        return AugmentedImage(
            move(self.lines, matrix, 0, False),
            move(self.mask, matrix, 0, False),
            move(self.labels, matrix, NONE, True),
            (move(extra, at_size(matrix, SIDE, extra.shape[0]), 0, False) + paper).astype(np.float32),
            move(self.known, at_size(matrix, SIDE, GRID), 0, False),
        )


def flats_item(row: dict[str, np.ndarray], rng: np.random.Generator | None) -> dict[str, np.ndarray]:
    """One set's arrays for ``stack_sets``; augmented when there is a generator."""
    drawing = AugmentedImage(row["ink"], row["mask"], row["labels"], row["residual"], row["known"])
    reference = AugmentedImage(row["reflines"], row["refmask"], row["reflabels"], row["refsmall"], row["known"])
    matrix = np.eye(3, dtype=np.float32)
    if rng is not None:
        matrix = color_matrix(rng, 0.5)
        drawing = drawing.mirrored() if rng.random() < 0.5 else drawing
        reference = reference.mirrored() if rng.random() < 0.5 else reference
        drawing = drawing.moved(random_move(rng, SIDE), 0) if rng.random() < 0.25 else drawing
        reference = reference.moved(random_move(rng, SIDE), 255) if rng.random() < 0.5 else reference
        if rng.random() < 0.1:  # an unsplit picture: the whole of it counts as figure, as it does when there is no mask
            drawing, reference = (replace(p, mask=np.full_like(p.mask, 255)) for p in (drawing, reference))
        lines = np.clip(drawing.lines.astype(np.float32) * rng.uniform(0.5, 1.5), 0, 255).astype(np.uint8)
        drawing = replace(drawing, lines=lines)
    shown = _drawing(row, drawing, matrix)
    return {**shown, **_reference(row, shown["figure"], reference, matrix)}


def _labels(picture: AugmentedImage) -> np.ndarray:
    return np.where(picture.labels == NONE, -1, picture.labels.astype(np.int32))


def _drawing(row: dict[str, np.ndarray], drawing: AugmentedImage, matrix: Floats) -> dict[str, np.ndarray]:
    n = int(row["count"])
    labels = _labels(drawing)
    arrays = region_features(labels, n, drawing.mask)
    trusted, off = row["trusted"][:n].astype(np.float32), row["off"][:n]
    weight = np.sqrt(trusted) * (1 - 0.8 * off / np.maximum(trusted, 1)) * (0.5 + 0.5 * arrays.foreground)
    weight = weight * (arrays.pool.sum(1) > 0)  # moved out of the picture
    cells, known = _cells(row, drawing, labels, matrix)
    return {
        "picture": stack_image_channels(drawing.lines, drawing.mask, 0.0),
        "pool": arrays.pool,
        "geometry": arrays.geometry,
        "lab": lab_from_rgb(apply_colors(matrix, row["colors"][:n])),
        "weight": (weight / max(float(weight.sum()), 1e-6)).astype(np.float32),
        "figure": arrays.foreground,
        "cells": cells,
        "cell_weight": known,
    }


def _cells(row: dict[str, np.ndarray], drawing: AugmentedImage, labels: np.ndarray, matrix: Floats) -> tuple[Floats, Floats]:
    """The drawing's true colors (CELLS^2, 3) Lab / 50 and what each counts (CELLS^2,), which sums to 1."""
    colors = np.concatenate([row["colors"], np.full((1, 3), 255, np.uint8)])
    flats = cv2.resize(colors[labels].astype(np.float32), (CELLS, CELLS), interpolation=cv2.INTER_AREA)
    shading = cv2.resize(np.ascontiguousarray(drawing.extra, np.float32), (CELLS, CELLS), interpolation=cv2.INTER_AREA)
    truth = apply_colors(matrix, (np.clip(flats + shading, 0, 255) / 255).astype(np.float32))
    small = (CELLS, CELLS)
    figure = cv2.resize(np.ascontiguousarray(drawing.mask), small, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    known = cv2.resize(np.ascontiguousarray(drawing.known), small, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    weight = (known * (0.2 + 0.8 * figure)).ravel()
    cells = cell_colors(truth).reshape(3, -1).T
    return np.ascontiguousarray(cells), (weight / max(float(weight.sum()), 1e-6)).astype(np.float32)


def _reference(row: dict[str, np.ndarray], figure: Bools, reference: AugmentedImage, matrix: Floats) -> dict[str, np.ndarray]:
    m, k = int(row["refcount"]), int(row["palettecount"])
    labels, index = _labels(reference), row["refindex"][:m].astype(np.int64)
    keys = region_features(labels, m, reference.mask)
    palette = apply_colors(matrix, row["palette"][:k])
    return {
        "key_picture": stack_image_channels(reference.lines, reference.mask, 1.0),
        "key_pool": keys.pool,
        "key_geometry": keys.geometry,
        "allowed": allowed_pairs(figure, keys.foreground),
        "token_lab": region_lab(palette, index),
        "index": index,
        "palette_lab": lab_from_rgb(palette),
        "key_cells": cell_colors(apply_colors(matrix, (reference.extra / 255).astype(np.float32))),
        "shares": cell_shares(labels, index, k),
        "sides": cell_layer_weights(
            np.ascontiguousarray(reference.mask), bool((~keys.foreground).any()), bool(keys.foreground.any())
        ),
    }
