"""Merges regions that are too small or too many, on their graph of shared borders."""

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.imaging.types import Bools, Labels

OPEN_CONTACT, LINE_CONTACT = 8, 1
"""Weight of one pixel of shared border: without a line in between (a closed gap), and across a line."""
LARGE_FACTOR = 4
"""A neighbor that is itself large enough counts this many times its shared border."""


@dataclass(frozen=True)
class RegionGraph:
    """Regions as nodes, shared borders as edges."""

    area: NDArray[np.float64]
    """(n,) weighted paper pixels."""
    is_foreground: Bools
    """(n,); regions of foreground and background are never merged."""
    center: NDArray[np.float64]
    """(n, 2) mean row and column."""
    contact: tuple[dict[int, int], ...]
    """For each region its neighbors and the weight of the shared border."""


def region_adjacency_graph(
    labels: Labels, count: int, ink: Bools, weight: NDArray[np.floating] | None, is_foreground: Bools
) -> RegionGraph:
    """The graph of ``labels`` (h, w); paper pixels count ``weight`` (h, w) each (None = 1), ink pixels nothing."""
    flat = labels.ravel()
    paper = (~ink).astype(np.float64) if weight is None else np.where(ink, 0.0, weight)
    area = np.bincount(flat, weights=paper.ravel(), minlength=count).astype(np.float64)
    pixels = np.maximum(np.bincount(flat, minlength=count), 1)
    rows, columns = np.indices(labels.shape, dtype=np.float32)
    center = np.stack([np.bincount(flat, weights=axis.ravel(), minlength=count) / pixels for axis in (rows, columns)], 1)
    codes: list[NDArray[np.int64]] = []
    weights: list[NDArray[np.int64]] = []
    for a, b, ink_a, ink_b in (
        (labels[:, :-1], labels[:, 1:], ink[:, :-1], ink[:, 1:]),
        (labels[:-1], labels[1:], ink[:-1], ink[1:]),
    ):
        differs = a != b
        low, high = np.minimum(a[differs], b[differs]), np.maximum(a[differs], b[differs])
        # An edge of the graph as one number, so that a single call sums the contacts of all edges.
        codes.append(low.astype(np.int64) * count + high)
        weights.append(np.where(ink_a[differs] | ink_b[differs], LINE_CONTACT, OPEN_CONTACT))
    pairs, inverse = np.unique(np.concatenate(codes), return_inverse=True)
    totals = np.bincount(inverse, weights=np.concatenate(weights), minlength=len(pairs)).astype(int).tolist()
    contact: tuple[dict[int, int], ...] = tuple({} for _ in range(count))
    for code, total in zip(pairs.tolist(), totals, strict=True):
        a, b = divmod(code, count)
        contact[a][b] = total
        contact[b][a] = total
    return RegionGraph(area, is_foreground, center, contact)


def merge_small(graph: RegionGraph, minimum: float, limit: int | None) -> tuple[NDArray[np.int32], int]:
    """New number (n,) int32 of each region, and how many there are.

    The smallest region joins the neighbor with the longest shared border, until all have ``minimum`` area and there are at most
    ``limit``.  Foreground joins foreground only and background background only, so at least one region of each remains.  A
    region without a neighbor of its kind stays, unless there are too many: then it joins the one with the nearest center.
    """
    count = len(graph.area)
    area, foreground = graph.area.tolist(), graph.is_foreground.tolist()
    contact = [dict(edges) for edges in graph.contact]
    target = list(range(count))
    # A region that has grown is queued again; its older entries are skipped when they come up.
    queue = [(a, i) for i, a in enumerate(area)]
    heapq.heapify(queue)
    isolated: list[int] = []
    remaining = count

    def join(small: int, other: int) -> None:
        nonlocal remaining
        target[small] = other
        area[other] += area[small]
        for k, w in contact[small].items():
            del contact[k][small]
            if k != other:
                contact[other][k] = contact[other].get(k, 0) + w
                contact[k][other] = contact[other][k]
        contact[small] = {}
        remaining -= 1
        heapq.heappush(queue, (area[other], other))

    while queue and (queue[0][0] < minimum or (limit is not None and remaining > limit)):
        a, i = heapq.heappop(queue)
        if target[i] != i or a != area[i]:  # merged since it was queued, or larger by now
            continue
        best, best_weight = -1, 0
        # Of equally long borders the smaller number wins, so that the result does not depend on the order of joins.
        for k, w in contact[i].items():
            w = w * LARGE_FACTOR if area[k] >= minimum else w
            if foreground[k] == foreground[i] and (w > best_weight or (w == best_weight and k < best)):
                best, best_weight = k, w
        if best >= 0:
            join(i, best)
        else:
            isolated.append(i)
    if limit is not None:
        # Only the limit makes regions join that share no border with their kind.
        for i in isolated:
            if remaining <= limit:
                break
            others = [k for k in range(count) if target[k] == k and k != i and foreground[k] == foreground[i]]
            if target[i] == i and others:
                distance = ((graph.center[others] - graph.center[i]) ** 2).sum(1)
                join(i, others[int(distance.argmin())])
    return _number_roots(target)


def _number_roots(target: list[int]) -> tuple[NDArray[np.int32], int]:
    number: dict[int, int] = {}
    result = np.empty(len(target), np.int32)
    for i in range(len(target)):
        root = i
        while target[root] != root:
            root = target[root]
        result[i] = number.setdefault(root, len(number))
    return result, len(number)
