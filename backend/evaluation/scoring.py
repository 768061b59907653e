"""Measures the methods on one pair."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from backend.evaluation.methods import Method, Role
from backend.evaluation.metrics.color_metrics import color_scores
from backend.evaluation.metrics.edge_metrics import color_bleed, color_leak
from backend.evaluation.metrics.image_metrics import composite_lines, foreground_box, ms_ssim, psnr
from backend.evaluation.metrics.lpips import Lpips
from backend.evaluation.pairs import Pair
from backend.imaging.types import Rgb

NAN = float("nan")


@dataclass(frozen=True)
class Metrics:
    """All metrics of one result; nan where one does not apply.

    Colors are compared outside the lines.  PSNR, MS-SSIM and LPIPS compare images with lines, in the foreground's box.
    """

    difference: float
    """Mean CIEDE2000 of the foreground; of the whole image where there is no mask."""
    close: float
    """Share of those pixels under CLOSE."""
    near: float
    """Share of those pixels under NEAR."""
    whole: float
    """Mean CIEDE2000 of the whole image."""
    whole_close: float
    """Share of the whole image under CLOSE."""
    background: float
    """Mean CIEDE2000 of the background."""
    background_close: float
    """Share of the background under CLOSE."""
    psnr: float
    """In dB."""
    ms_ssim: float
    """Multi-scale structural similarity, at most 1; higher is better."""
    lpips: float
    """Learned perceptual distance, 0 = equal; lower is better."""
    leak: float
    """See ``edge_metrics``."""
    bleed: float
    """See ``edge_metrics``."""
    seconds: float
    """On the clock, of the whole pipeline."""
    cpu: float
    """Processor seconds of all threads."""
    calls: float
    """How often networks ran."""


@dataclass(frozen=True)
class Row:
    """One method on one pair with one seed."""

    pair: str
    """Name of the pair."""
    source: str
    """The set that the pair belongs to; '' = unknown."""
    kind: str
    """As ``Pair.kind``."""
    method: str
    seed: int
    """Of the model's noise."""
    metrics: Metrics


def measure_image(image: Rgb, pair: Pair, perceptual: Lpips | None) -> Metrics:
    """All metrics of a result (h, w, 3) without lines, except its cost."""
    colors = color_scores(image, pair.color, pair.line, pair.mask, pair.split)
    judged = colors.foreground if pair.split else colors.whole
    box = foreground_box(pair.mask)
    crop, true_crop = composite_lines(image, pair.line)[box], composite_lines(pair.color, pair.line)[box]
    return Metrics(
        difference=judged.mean,
        close=judged.close,
        near=judged.near,
        whole=colors.whole.mean,
        whole_close=colors.whole.close,
        background=colors.background.mean,
        background_close=colors.background.close,
        psnr=psnr(crop, true_crop),
        ms_ssim=ms_ssim(crop, true_crop),
        lpips=NAN if perceptual is None else perceptual(crop, true_crop),
        leak=color_leak(image, pair.color, pair.line, pair.mask) if pair.split else NAN,
        bleed=color_bleed(image, pair.color, pair.line),
        seconds=NAN,
        cpu=NAN,
        calls=NAN,
    )


def measure_pair(
    pair: Pair, methods: Iterable[Method], seeds: int, perceptual: Lpips | None
) -> tuple[list[Row], dict[str, list[Rgb]]]:
    """Rows of every method, and its results (h, w, 3) by name; the model's methods have one of each for every seed."""
    rows: list[Row] = []
    images: dict[str, list[Rgb]] = {}
    for method in methods:
        for seed in range(seeds if method.role is Role.FAMILY else 1):
            result = method.color(pair, seed)
            metrics = measure_image(result.image, pair, perceptual)
            if method.role is Role.FAMILY and seed == 0:  # later seeds find the cached condition
                metrics = replace(metrics, seconds=result.seconds, cpu=result.cpu, calls=float(result.calls))
            rows.append(Row(pair.name, pair.source, pair.kind, method.name, seed, metrics))
            images.setdefault(method.name, []).append(result.image)
    return rows, images
