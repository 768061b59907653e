"""Means over pictures, and what seeds change."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np

from backend.evaluation.color_metrics import color_difference
from backend.evaluation.pairs import Pair
from backend.evaluation.scoring import Figures, Row
from backend.imaging.segmentation.regions import merge_and_split, region_medians, segment
from backend.imaging.types import Rgb

NAMES = tuple(field.name for field in fields(Figures))
DIFFERS = 5.0
"""Colors of a region further apart than this (CIEDE2000) are a variation."""
GAP, MOST = 0.04, 160
"""How a drawing is cut to count its varied regions: the pipeline's defaults."""


@dataclass(frozen=True)
class Summary:
    """One way over several pictures: means of the pictures' figures, and the means' standard deviation over seeds."""

    way: str
    pictures: int
    mean: Figures
    spread: Figures


@dataclass(frozen=True)
class Variation:
    """What another seed changes.

    regions: share of regions that take another color.  cost: how much larger the later seeds' mean error is than the first
    seed's, in CIEDE2000.
    """

    way: str
    regions: float
    cost: float


def mean_of(values: Sequence[float]) -> float:
    """The mean of what is known; nan when nothing is."""
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def summaries(rows: Sequence[Row]) -> list[Summary]:
    """One for each way, in the order in which they come."""
    return [_summary(way, [row for row in rows if row.way == way]) for way in dict.fromkeys(row.way for row in rows)]


def _summary(way: str, rows: Sequence[Row]) -> Summary:
    seeds = sorted({row.seed for row in rows})
    each = [{n: mean_of([getattr(row.figures, n) for row in rows if row.seed == seed]) for n in NAMES} for seed in seeds]
    mean = {name: mean_of([one[name] for one in each]) for name in NAMES}
    spread = {name: _spread([one[name] for one in each]) for name in NAMES}
    return Summary(way, len({row.pair for row in rows}), Figures(**mean), Figures(**spread))


def _spread(values: Sequence[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.std(known, ddof=1)) if len(known) > 1 else float("nan")


def varied_regions(pair: Pair, results: Sequence[Rgb]) -> float:
    """Share of the drawing's regions whose color differs between two of the results (h, w, 3), mean over neighboring ones."""
    regions = merge_and_split(segment(255 - pair.line, GAP), pair.mask, MOST)
    medians = [region_medians(regions.labels, regions.count, one, ~regions.ink)[0] for one in results]
    shares = [(color_difference(a, b) > DIFFERS).mean() for a, b in pairwise(medians)]
    return float(np.mean(shares)) if shares else float("nan")


def variation(way: str, varied: Sequence[float], rows: Sequence[Row]) -> Variation:
    """The variation of one way: the pictures' ``varied_regions`` and the rows of all its seeds."""
    first = mean_of([row.figures.difference for row in rows if row.way == way and row.seed == 0])
    later = mean_of([row.figures.difference for row in rows if row.way == way and row.seed > 0])
    return Variation(way, mean_of(varied), later - first)
