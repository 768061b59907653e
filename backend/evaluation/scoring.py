"""Every way on every pair: the figures, and the pictures of the first seed."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from backend.evaluation.color_metrics import color_scores
from backend.evaluation.edge_metrics import color_bleed, color_leak
from backend.evaluation.image_metrics import composite_lines, foreground_box, ms_ssim, psnr
from backend.evaluation.lpips import Lpips
from backend.evaluation.methods import Method, Role
from backend.evaluation.pairs import Pair
from backend.imaging.types import Rgb

NAN = float("nan")


@dataclass(frozen=True)
class Metrics:
    """All figures of one result; nan where one does not apply.

    difference, close, near: CIEDE2000 outside lines and the shares under 10 and 20, of the figure (of the whole picture where
    there is no mask).  whole, ground: CIEDE2000 of the whole picture and outside the figure, with the share under 10 each.
    psnr (dB), ms_ssim, lpips: of the picture with its lines inside the figure's bounding box.  leak, bleeding: see ``edges``.
    seconds (on the clock), cpu (seconds of all threads), calls: of the whole pipeline.
    """

    difference: float
    close: float
    near: float
    whole: float
    whole_close: float
    background: float
    background_close: float
    psnr: float
    ms_ssim: float
    lpips: float
    leak: float
    bleed: float
    seconds: float
    cpu: float
    calls: float


@dataclass(frozen=True)
class Row:
    """One way on one pair with one seed."""

    pair: str
    source: str
    kind: str
    method: str
    seed: int
    metrics: Metrics


def measure_image(image: Rgb, pair: Pair, perceptual: Lpips | None) -> Metrics:
    """All figures of a result (h, w, 3) without lines, but for what it cost."""
    colors = color_scores(image, pair.color, pair.line, pair.mask, pair.split)
    judged = colors.foreground if pair.split else colors.whole
    box = foreground_box(pair.mask)
    seen, true = composite_lines(image, pair.line)[box], composite_lines(pair.color, pair.line)[box]
    return Metrics(
        difference=judged.mean,
        close=judged.close,
        near=judged.near,
        whole=colors.whole.mean,
        whole_close=colors.whole.close,
        background=colors.background.mean,
        background_close=colors.background.close,
        psnr=psnr(seen, true),
        ms_ssim=ms_ssim(seen, true),
        lpips=NAN if perceptual is None else perceptual(seen, true),
        leak=color_leak(image, pair.color, pair.line, pair.mask) if pair.split else NAN,
        bleed=color_bleed(image, pair.color, pair.line),
        seconds=NAN,
        cpu=NAN,
        calls=NAN,
    )


def measure_pair(
    pair: Pair, methods: Iterable[Method], seeds: int, perceptual: Lpips | None
) -> tuple[list[Row], dict[str, list[Rgb]]]:
    """Rows of every way, a family's once a seed; and each way's results (h, w, 3), one a seed."""
    rows: list[Row] = []
    pictures: dict[str, list[Rgb]] = {}
    for way in methods:
        for seed in range(seeds if way.role is Role.FAMILY else 1):
            result = way.color(pair, seed)
            figures = measure_image(result.image, pair, perceptual)
            if way.role is Role.FAMILY and seed == 0:  # later seeds find what is computed once a picture
                figures = replace(figures, seconds=result.seconds, cpu=result.cpu, calls=float(result.calls))
            rows.append(Row(pair.name, pair.source, pair.kind, way.name, seed, figures))
            pictures.setdefault(way.name, []).append(result.image)
    return rows, pictures
