"""Combines and renumbers label maps."""

import numpy as np

from backend.imaging.types import Floats, Labels


def relabel(labels: Labels) -> tuple[Labels, Labels]:
    """The labels (h, w) >= 0 numbered 0..count-1 without gaps, in their old order; and each new number's old one, (count,)."""
    used = np.flatnonzero(np.bincount(labels.ravel()))
    number = np.zeros(int(used[-1]) + 1, np.int32)
    number[used] = np.arange(len(used), dtype=np.int32)
    return number[labels], used.astype(np.int32)


def intersect_labels(first: Labels, second: Labels) -> Labels:
    """(h, w) labels 0..count-1 of the parts that both label maps (h, w) >= 0 together cut the image into."""
    return relabel(first * np.int32(int(second.max()) + 1) + second)[0]


def parent_labels(parts: Labels, wholes: Labels) -> Labels:
    """(count,) the number of the whole that each part lies in; parts (h, w) must lie in one whole each."""
    parents = np.zeros(int(parts.max()) + 1, np.int32)
    parents[parts.ravel()] = wholes.ravel()
    return parents


def label_areas(labels: Labels, count: int, weights: Floats | None = None) -> Floats:
    """(count,) pixels of each label, or the sum of ``weights`` (h, w) over them."""
    flat = None if weights is None else weights.ravel()
    return np.bincount(labels.ravel(), flat, minlength=count).astype(np.float32)
