"""What the flats network needs to know of the references: who may take colors from where, and the colors themselves."""

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


@dataclass(frozen=True)
class ReferencePalette:
    """What all references together have to give.

    pictures: R of them, padded to the same number of regions.  palette: as the network wants it.  allowed: (1, n, M) bool.
    colors: (K, 3) uint8, what the palette's entries look like.  permitted: (n, K) bool, who may wear them.
    """

    images: ImageBatch
    palette: Palette
    allowed: Tensor
    colors: Rgb
    permitted: Bools


def build_palette(figure: Bools, references: tuple[ReferenceRegions, ...]) -> ReferencePalette:
    """For the drawing's regions, of which ``figure`` (n,) are the figure."""
    most = max(len(r.palette_index) for r in references)
    starts = np.cumsum([0, *(len(r.palette) for r in references)])
    size = int(starts[-1])
    index = [r.palette_index + start for r, start in zip(references, starts[:-1], strict=True)]
    allowed = allowed_regions(figure, references)
    entries = np.concatenate(index)
    permitted = np.stack([allowed[:, entries == entry].any(1) for entry in range(size)], 1)
    pictures = ImageBatch(
        torch.cat([r.image_batch.image for r in references]),
        torch.cat([_pad_rows(r.image_batch.pool, most) for r in references]),
        torch.cat([_pad_rows(r.image_batch.geometry, most) for r in references]),
        torch.cat([F.pad(r.image_batch.valid, (0, most - len(r.palette_index))) for r in references]),
    )
    columns = [F.pad(torch.from_numpy(a), (0, most - a.shape[1])) for a in _split_by_reference(allowed, references)]
    palette = Palette(
        torch.cat([_pad_rows(r.lab, most) for r in references], 1),
        torch.cat([F.pad(torch.from_numpy(i), (0, most - len(i))) for i in index])[None],
        size,
        torch.from_numpy(np.stack([cell_colors(r.image) for r in references])),
        torch.from_numpy(np.concatenate([cell_shares(r.labels, i, size) for r, i in zip(references, index, strict=True)]))[
            None
        ],
        torch.from_numpy(palette_layer_weights(references))[None],
    )
    return ReferencePalette(
        pictures, palette, torch.cat(columns, 1)[None], np.concatenate([r.palette for r in references]), permitted
    )


def _pad_rows(values: Tensor, length: int) -> Tensor:
    """(1, m, c) to (1, length, c)."""
    return F.pad(values, (0, 0, 0, length - values.shape[1]))


def _split_by_reference(allowed: Bools, references: tuple[ReferenceRegions, ...]) -> list[Bools]:
    """``allowed`` (n, m) cut into one array for each reference."""
    ends = np.cumsum([len(r.palette_index) for r in references])
    return np.split(allowed, ends[:-1], axis=1)


def allowed_regions(figure: Bools, references: tuple[ReferenceRegions, ...]) -> Bools:
    """(n, m) over the regions of all references in a row: which each region may take its color from.

    A reference whose role is the other side's is left out, and figure looks at figure only.  A side for which nothing is left
    may use everything its references hold; one that has no reference at all may use all of them.
    """
    token_figure = np.concatenate([r.foreground for r in references])
    usable = np.repeat(_usable_references(references), [len(r.palette_index) for r in references], axis=1)[
        figure.astype(np.int64)
    ]
    both = usable & (figure[:, None] == token_figure[None, :])
    return np.where(both.any(1, keepdims=True), both, usable)


def _usable_references(references: tuple[ReferenceRegions, ...]) -> Bools:
    """(2, R) which references ground (row 0) and figure may use by their roles; all of them when it would be none."""
    by_role = np.array([[r.role in (ReferenceRole.BOTH, role) for r in references] for role in LAYER_ROLES])
    return by_role | ~by_role.any(1, keepdims=True)


def palette_layer_weights(references: tuple[ReferenceRegions, ...]) -> Floats:
    """(R CELLS^2, 2): ``Palette.sides`` by the same rules as ``allowed_tokens``."""
    usable = _usable_references(references)
    has = [
        any(bool((r.foreground == side).any()) for r, u in zip(references, row, strict=True) if u)
        for side, row in zip((False, True), usable, strict=True)
    ]
    cells = [cell_layer_weights(r.mask, has[0], has[1]) * usable[:, i] for i, r in enumerate(references)]
    return np.concatenate(cells).astype(np.float32)
