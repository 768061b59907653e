"""Means over pictures, and what seeds change."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np

from backend.evaluation.color_metrics import color_difference
from backend.evaluation.pairs import Pair
from backend.evaluation.scoring import Metrics, Row
from backend.imaging.segmentation.regions import merge_and_split, region_medians, segment
from backend.imaging.types import Rgb

METRIC_NAMES = tuple(field.name for field in fields(Metrics))
VARIATION_THRESHOLD = 5.0
"""Colors of a region further apart than this (CIEDE2000) are a variation."""
GAP_SIZE, MAX_REGIONS = 0.04, 160
"""How a drawing is cut to count its varied regions: the pipeline's defaults."""


@dataclass(frozen=True)
class Summary:
    """One way over several pictures: means of the pictures' figures, and the means' standard deviation over seeds."""

    method: str
    images: int
    mean: Metrics
    spread: Metrics


@dataclass(frozen=True)
class Variation:
    """What another seed changes.

    regions: share of regions that take another color.  cost: how much larger the later seeds' mean error is than the first
    seed's, in CIEDE2000.
    """

    method: str
    regions: float
    cost: float


def mean_of_known(values: Sequence[float]) -> float:
    """The mean of what is known; nan when nothing is."""
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def summarize(rows: Sequence[Row]) -> list[Summary]:
    """One for each way, in the order in which they come."""
    return [
        _summarize_method(way, [row for row in rows if row.method == way]) for way in dict.fromkeys(row.method for row in rows)
    ]


def _summarize_method(method: str, rows: Sequence[Row]) -> Summary:
    seeds = sorted({row.seed for row in rows})
    each = [
        {n: mean_of_known([getattr(row.metrics, n) for row in rows if row.seed == seed]) for n in METRIC_NAMES}
        for seed in seeds
    ]
    mean = {name: mean_of_known([one[name] for one in each]) for name in METRIC_NAMES}
    spread = {name: _deviation([one[name] for one in each]) for name in METRIC_NAMES}
    return Summary(method, len({row.pair for row in rows}), Metrics(**mean), Metrics(**spread))


def _deviation(values: Sequence[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.std(known, ddof=1)) if len(known) > 1 else float("nan")


def share_of_varied_regions(pair: Pair, results: Sequence[Rgb]) -> float:
    """Share of the drawing's regions whose color differs between two of the results (h, w, 3), mean over neighboring ones."""
    regions = merge_and_split(segment(255 - pair.line, GAP_SIZE), pair.mask, MAX_REGIONS)
    medians = [region_medians(regions.labels, regions.count, one, ~regions.ink)[0] for one in results]
    shares = [(color_difference(a, b) > VARIATION_THRESHOLD).mean() for a, b in pairwise(medians)]
    return float(np.mean(shares)) if shares else float("nan")


def measure_variation(method: str, shares: Sequence[float], rows: Sequence[Row]) -> Variation:
    """The variation of one way: the pictures' ``varied_regions`` and the rows of all its seeds."""
    first = mean_of_known([row.metrics.difference for row in rows if row.method == method and row.seed == 0])
    later = mean_of_known([row.metrics.difference for row in rows if row.method == method and row.seed > 0])
    return Variation(method, mean_of_known(shares), later - first)
