"""Runs an evaluation: measures every method on every pair."""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from backend.contract.family import AnyColorModel
from backend.evaluation.aggregate import Variation, measure_variation, share_of_varied_regions
from backend.evaluation.colorize_pair import ColorizeOptions
from backend.evaluation.methods import Method, Role
from backend.evaluation.metrics.image_metrics import composite_lines
from backend.evaluation.metrics.lpips import Lpips
from backend.evaluation.metrics.mask_metrics import MaskRow, measure_masks
from backend.evaluation.pairs import Pair
from backend.evaluation.report import ImageStrip, ReportImage, metrics_note, report_image
from backend.evaluation.scoring import Row, measure_pair
from backend.imaging.types import Rgb

_ORDER = (Role.FAMILY, Role.ORACLE, Role.BASELINE)
"""Order of the results beside the truth."""


@dataclass(frozen=True)
class Measurements:
    """Everything measured on the pairs, and their images."""

    rows: tuple[Row, ...]
    """One for each pair, method and seed."""
    masks: tuple[MaskRow, ...]
    """One for each pair whose masks were guessed."""
    variations: tuple[Variation, ...]
    """One for each method of the model, where there are several seeds."""
    strips: tuple[ImageStrip, ...]
    """The images of each pair."""


def measure(
    pairs: Iterable[Pair],
    family: AnyColorModel,
    methods: Sequence[Method],
    options: ColorizeOptions,
    seeds: int,
    perceptual: Lpips | None,
) -> Measurements:
    """Color every pair by every method.

    Masks are measured when ``options.guess_masks``, variations when there are several seeds.  perceptual: None without LPIPS.
    """
    rows: list[Row] = []
    masks: list[MaskRow] = []
    strips: list[ImageStrip] = []
    varied: dict[str, list[float]] = {}
    for pair in pairs:
        new, images = measure_pair(pair, methods, seeds, perceptual)
        rows += new
        strips.append(_image_strip(pair, new, images, {method.name: method.role for method in methods}))
        for method in methods:
            if method.role is Role.FAMILY and seeds > 1:
                varied.setdefault(method.name, []).append(share_of_varied_regions(pair, images[method.name]))
        if options.guess_masks and pair.split:
            masks.append(measure_masks(family, pair, options))
    variations = tuple(measure_variation(method, shares, rows) for method, shares in varied.items())
    return Measurements(tuple(rows), tuple(masks), variations, tuple(strips))


def warm_up(methods: Sequence[Method], pair: Pair) -> None:
    """Color a mirrored drawing by all methods of the model, so that later nothing is compiled while time is measured.

    It is mirrored because a family may cache a drawing that it has colored.
    """
    line, mask = (np.ascontiguousarray(image[:, ::-1]) for image in (pair.line, pair.mask))
    for method in methods:
        if method.role is Role.FAMILY:
            method.color(replace(pair, line=line, mask=mask), 0)


def _image_strip(pair: Pair, rows: Sequence[Row], images: dict[str, list[Rgb]], roles: dict[str, Role]) -> ImageStrip:
    report_images: list[ReportImage] = [
        report_image("lines", np.dstack([pair.line] * 3)),
        report_image("reference", pair.reference),
        report_image("truth", composite_lines(pair.color, pair.line)),
    ]
    ordered = sorted(rows, key=lambda row: _ORDER.index(roles[row.method]))
    for row in ordered:
        if row.method != "white":
            caption = row.method if len(images[row.method]) == 1 else f"{row.method}, seed {row.seed}"
            image = composite_lines(images[row.method][row.seed], pair.line)
            report_images.append(report_image(caption, image, metrics_note(row)))
    return ImageStrip(f"{pair.name} {pair.source}".strip(), tuple(report_images))


def to_json(settings: dict[str, str], rows: Sequence[Row]) -> str:
    """The settings and the metrics of every row as JSON; unknown metrics are null."""
    return json.dumps({"settings": settings, "rows": [_row_to_json(asdict(row)) for row in rows]}, indent=1)


def _row_to_json(row: dict[str, object]) -> dict[str, object]:
    metrics = row["metrics"]
    assert isinstance(metrics, dict)
    return {**row, "metrics": {k: v if math.isfinite(v) else None for k, v in metrics.items()}}
