"""Means over drawings, and what another seed changes."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np

from backend.evaluation.metrics.color_metrics import color_difference
from backend.evaluation.pairs import Pair
from backend.evaluation.scoring import Metrics, Row
from backend.imaging.segmentation.regions import merge_and_split, region_medians, segment
from backend.imaging.types import Rgb

METRIC_NAMES = tuple(field.name for field in fields(Metrics))
VARIATION_THRESHOLD = 5.0
"""Colors of a region that are further apart than this (CIEDE2000) differ."""
GAP_SIZE, MAX_REGIONS = 0.04, 160
"""How a drawing is cut into regions to count those that differ: the pipeline's defaults."""


@dataclass(frozen=True)
class Summary:
    """The metrics of one method over several drawings."""

    method: str
    """Its name in tables."""
    images: int
    """Number of drawings."""
    mean: Metrics
    """Means over drawings and seeds."""
    spread: Metrics
    """Standard deviation, over seeds, of the means over drawings; nan for a single seed."""


@dataclass(frozen=True)
class Variation:
    """What another seed changes in the results of a method."""

    method: str
    """Its name in tables."""
    regions: float
    """Share of regions that get another color."""
    cost: float
    """How much larger the mean error of later seeds is than the first seed's, CIEDE2000."""


def mean_of_known(values: Sequence[float]) -> float:
    """The mean of the values that are not nan; nan when there are none."""
    numbers = [value for value in values if not np.isnan(value)]
    return float(np.mean(numbers)) if numbers else float("nan")


def summarize(rows: Sequence[Row]) -> list[Summary]:
    """A summary of each method, in the order in which the methods first appear."""
    methods = dict.fromkeys(row.method for row in rows)
    return [_summarize_method(method, [row for row in rows if row.method == method]) for method in methods]


def _summarize_method(method: str, rows: Sequence[Row]) -> Summary:
    seeds = sorted({row.seed for row in rows})
    # Over drawings first: the spread is that of whole evaluations, not of single drawings.
    means_by_seed = [
        {n: mean_of_known([getattr(row.metrics, n) for row in rows if row.seed == seed]) for n in METRIC_NAMES}
        for seed in seeds
    ]
    mean = {name: mean_of_known([means[name] for means in means_by_seed]) for name in METRIC_NAMES}
    spread = {name: _deviation([means[name] for means in means_by_seed]) for name in METRIC_NAMES}
    return Summary(method, len({row.pair for row in rows}), Metrics(**mean), Metrics(**spread))


def _deviation(values: Sequence[float]) -> float:
    numbers = [value for value in values if np.isfinite(value)]
    return float(np.std(numbers, ddof=1)) if len(numbers) > 1 else float("nan")


def share_of_varied_regions(pair: Pair, results: Sequence[Rgb]) -> float:
    """Share of the drawing's regions whose color differs from one result (h, w, 3) to the next, mean over the results."""
    regions = merge_and_split(segment(255 - pair.line, GAP_SIZE), pair.mask, MAX_REGIONS)
    medians = [region_medians(regions.labels, regions.count, result, ~regions.ink)[0] for result in results]
    shares = [(color_difference(a, b) > VARIATION_THRESHOLD).mean() for a, b in pairwise(medians)]
    return float(np.mean(shares)) if shares else float("nan")


def measure_variation(method: str, shares: Sequence[float], rows: Sequence[Row]) -> Variation:
    """The variation of one method, from ``share_of_varied_regions`` of each drawing and the rows of all seeds."""
    first = mean_of_known([row.metrics.difference for row in rows if row.method == method and row.seed == 0])
    later = mean_of_known([row.metrics.difference for row in rows if row.method == method and row.seed > 0])
    return Variation(method, mean_of_known(shares), later - first)
