"""Builds the palette that the references offer: its colors, and which of the drawing's regions may take which."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from backend.families.mini.features import cell_colors, cell_layer_weights, cell_shares
from backend.families.mini.inputs import ReferenceRegions
from backend.imaging.types import Bools, Floats, Rgb
from backend.networks.mini.flats import ImageBatch, Palette
from shared.protocol import ReferenceRole

LAYER_ROLES = (ReferenceRole.BACKGROUND, ReferenceRole.FOREGROUND)
"""The role of a reference for each layer alone; row 0 of a table by layer is the background, row 1 the foreground."""


@dataclass(frozen=True)
class ReferencePalette:
    """What all R references together offer to the drawing's n regions; M regions of references, K palette colors."""

    images: ImageBatch
    """The references, padded to the same number of regions."""
    palette: Palette
    """The regions' colors as the networks are told them."""
    allowed: Tensor
    """(1, n, M) bool: which reference regions each region may take its color from."""
    colors: Rgb
    """(K, 3) uint8, the palette colors as they look."""
    permitted: Bools
    """(n, K): which palette colors each region may take."""


def build_palette(foreground: Bools, references: tuple[ReferenceRegions, ...]) -> ReferencePalette:
    """The palette for the drawing's regions; foreground: (n,), which of them are foreground."""
    most = max(len(r.palette_index) for r in references)
    starts = np.cumsum([0, *(len(r.palette) for r in references)])
    size = int(starts[-1])
    # each reference keeps palette colors of its own, even where another has the same
    indices = [r.palette_index + start for r, start in zip(references, starts[:-1], strict=True)]
    allowed = allowed_regions(foreground, references)
    entries = np.concatenate(indices)
    permitted = np.stack([allowed[:, entries == entry].any(1) for entry in range(size)], 1)
    images = ImageBatch(
        torch.cat([r.image_batch.image for r in references]),
        torch.cat([_pad_rows(r.image_batch.pool, most) for r in references]),
        torch.cat([_pad_rows(r.image_batch.geometry, most) for r in references]),
        torch.cat([F.pad(r.image_batch.valid, (0, most - len(r.palette_index))) for r in references]),
    )
    shares = [cell_shares(r.labels, index, size) for r, index in zip(references, indices, strict=True)]
    palette = Palette(
        torch.cat([_pad_rows(r.lab, most) for r in references], 1),
        torch.cat([F.pad(torch.from_numpy(index), (0, most - len(index))) for index in indices])[None],
        size,
        torch.from_numpy(np.stack([cell_colors(r.image) for r in references])),
        torch.from_numpy(np.concatenate(shares))[None],
        torch.from_numpy(palette_layer_weights(references))[None],
    )
    columns = [F.pad(torch.from_numpy(part), (0, most - part.shape[1])) for part in _split_by_reference(allowed, references)]
    colors = np.concatenate([r.palette for r in references])
    return ReferencePalette(images, palette, torch.cat(columns, 1)[None], colors, permitted)


def _pad_rows(values: Tensor, length: int) -> Tensor:
    """(1, m, c) to (1, length, c)."""
    return F.pad(values, (0, 0, 0, length - values.shape[1]))


def _split_by_reference(allowed: Bools, references: tuple[ReferenceRegions, ...]) -> list[Bools]:
    """``allowed`` (n, m) cut into one array for each reference."""
    ends = np.cumsum([len(r.palette_index) for r in references])
    return np.split(allowed, ends[:-1], axis=1)


def allowed_regions(foreground: Bools, references: tuple[ReferenceRegions, ...]) -> Bools:
    """(n, m) over the regions of all references in a row: which of them each region may take its color from.

    A reference whose role is the other layer is left out, and foreground takes colors from foreground only.  A layer that its
    references do not show may use all of their regions; a layer without a reference of its own may use all references.
    """
    reference_foreground = np.concatenate([r.foreground for r in references])
    counts = [len(r.palette_index) for r in references]
    usable = np.repeat(_usable_references(references), counts, axis=1)[foreground.astype(np.int64)]
    same_layer = usable & (foreground[:, None] == reference_foreground[None, :])
    return np.where(same_layer.any(1, keepdims=True), same_layer, usable)


def _usable_references(references: tuple[ReferenceRegions, ...]) -> Bools:
    """(2, R) which references background (row 0) and foreground may use by their roles; all where that would be none."""
    by_role = np.array([[r.role in (ReferenceRole.BOTH, role) for r in references] for role in LAYER_ROLES])
    return by_role | ~by_role.any(1, keepdims=True)


def palette_layer_weights(references: tuple[ReferenceRegions, ...]) -> Floats:
    """(R CELLS^2, 2): ``Palette.layer_weights``, by the same rules as ``allowed_regions``."""
    usable = _usable_references(references)
    has_background, has_foreground = (
        any(bool((r.foreground == layer).any()) for r, use in zip(references, row, strict=True) if use)
        for layer, row in zip((False, True), usable, strict=True)
    )
    cells = [cell_layer_weights(r.mask, has_background, has_foreground) * usable[:, i] for i, r in enumerate(references)]
    return np.concatenate(cells).astype(np.float32)
