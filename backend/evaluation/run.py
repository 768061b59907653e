"""An evaluation from pairs to report."""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from backend.contract.family import AnyColorModel
from backend.evaluation.aggregate import Variation, variation, varied_regions
from backend.evaluation.colorize_pair import Settings
from backend.evaluation.image_metrics import composite_lines
from backend.evaluation.lpips import Lpips
from backend.evaluation.mask_metrics import MaskRow, measure_masks
from backend.evaluation.methods import Method, Role
from backend.evaluation.pairs import Pair
from backend.evaluation.report import Shown, Strip, note_of, picture
from backend.evaluation.scoring import Row, measure_pair
from backend.imaging.types import Rgb

_ORDER = (Role.FAMILY, Role.CEILING, Role.BASELINE)
"""In which order results stand beside the truth."""


@dataclass(frozen=True)
class Measured:
    """Everything measured on the pairs, and their pictures."""

    rows: tuple[Row, ...]
    masks: tuple[MaskRow, ...]
    variations: tuple[Variation, ...]
    strips: tuple[Strip, ...]


def measure(
    pairs: Iterable[Pair],
    family: AnyColorModel,
    ways: Sequence[Method],
    settings: Settings,
    seeds: int,
    perceptual: Lpips | None,
) -> Measured:
    """Color every pair in every way.  Masks are measured when ``settings.guess``, variations when there are several seeds."""
    rows: list[Row] = []
    masks: list[MaskRow] = []
    strips: list[Strip] = []
    varied: dict[str, list[float]] = {}
    for pair in pairs:
        new, pictures = measure_pair(pair, ways, seeds, perceptual)
        rows += new
        strips.append(_strip(pair, new, pictures, {way.name: way.role for way in ways}))
        for way in ways:
            if way.role is Role.FAMILY and seeds > 1:
                varied.setdefault(way.name, []).append(varied_regions(pair, pictures[way.name]))
        if settings.guess and pair.split:
            masks.append(measure_masks(family, pair, settings))
    variations = tuple(variation(way, shares, rows) for way, shares in varied.items())
    return Measured(tuple(rows), tuple(masks), variations, tuple(strips))


def warm_up(ways: Sequence[Method], pair: Pair) -> None:
    """Color a mirrored drawing in every finish without looking at the clock, so that nothing is compiled while it is.

    Mirrored, as a family may remember a drawing it has seen.
    """
    line, mask = (np.ascontiguousarray(picture[:, ::-1]) for picture in (pair.line, pair.mask))
    for way in ways:
        if way.role is Role.FAMILY:
            way.color(replace(pair, line=line, mask=mask), 0)


def _strip(pair: Pair, rows: Sequence[Row], pictures: dict[str, list[Rgb]], roles: dict[str, Role]) -> Strip:
    shown: list[Shown] = [
        picture("lines", np.dstack([pair.line] * 3)),
        picture("reference", pair.reference),
        picture("truth", composite_lines(pair.color, pair.line)),
    ]
    ordered = sorted(rows, key=lambda row: _ORDER.index(roles[row.way]))
    for row in ordered:
        if row.way != "white":
            caption = row.way if len(pictures[row.way]) == 1 else f"{row.way}, seed {row.seed}"
            shown.append(picture(caption, composite_lines(pictures[row.way][row.seed], pair.line), note_of(row)))
    return Strip(f"{pair.name} {pair.source}".strip(), tuple(shown))


def as_json(settings: dict[str, str], rows: Sequence[Row]) -> str:
    """The settings and every row's figures; unknown ones are null."""
    return json.dumps({"settings": settings, "rows": [_plain(asdict(row)) for row in rows]}, indent=1)


def _plain(row: dict[str, object]) -> dict[str, object]:
    figures = row["figures"]
    assert isinstance(figures, dict)
    return {**row, "figures": {k: v if math.isfinite(v) else None for k, v in figures.items()}}
