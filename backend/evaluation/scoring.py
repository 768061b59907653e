"""Every way on every pair: the figures, and the pictures of the first seed."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from backend.evaluation.color_metrics import color_scores
from backend.evaluation.edge_metrics import bleeding, leak
from backend.evaluation.image_metrics import composite_lines, figure_box, ms_ssim, psnr
from backend.evaluation.lpips import Lpips
from backend.evaluation.methods import Method, Role
from backend.evaluation.pairs import Pair
from backend.imaging.types import Rgb

NAN = float("nan")


@dataclass(frozen=True)
class Figures:
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
    ground: float
    ground_close: float
    psnr: float
    ms_ssim: float
    lpips: float
    leak: float
    bleeding: float
    seconds: float
    cpu: float
    calls: float


@dataclass(frozen=True)
class Row:
    """One way on one pair with one seed."""

    pair: str
    source: str
    kind: str
    way: str
    seed: int
    figures: Figures


def figures_of(picture: Rgb, pair: Pair, perceptual: Lpips | None) -> Figures:
    """All figures of a result (h, w, 3) without lines, but for what it cost."""
    colors = color_scores(picture, pair.color, pair.line, pair.mask, pair.split)
    judged = colors.foreground if pair.split else colors.whole
    box = figure_box(pair.mask)
    seen, true = composite_lines(picture, pair.line)[box], composite_lines(pair.color, pair.line)[box]
    return Figures(
        difference=judged.mean,
        close=judged.close,
        near=judged.near,
        whole=colors.whole.mean,
        whole_close=colors.whole.close,
        ground=colors.background.mean,
        ground_close=colors.background.close,
        psnr=psnr(seen, true),
        ms_ssim=ms_ssim(seen, true),
        lpips=NAN if perceptual is None else perceptual(seen, true),
        leak=leak(picture, pair.color, pair.line, pair.mask) if pair.split else NAN,
        bleeding=bleeding(picture, pair.color, pair.line),
        seconds=NAN,
        cpu=NAN,
        calls=NAN,
    )


def measure_pair(
    pair: Pair, ways: Iterable[Method], seeds: int, perceptual: Lpips | None
) -> tuple[list[Row], dict[str, list[Rgb]]]:
    """Rows of every way, a family's once a seed; and each way's results (h, w, 3), one a seed."""
    rows: list[Row] = []
    pictures: dict[str, list[Rgb]] = {}
    for way in ways:
        for seed in range(seeds if way.role is Role.FAMILY else 1):
            result = way.color(pair, seed)
            figures = figures_of(result.picture, pair, perceptual)
            if way.role is Role.FAMILY and seed == 0:  # later seeds find what is computed once a picture
                figures = replace(figures, seconds=result.seconds, cpu=result.cpu, calls=float(result.calls))
            rows.append(Row(pair.name, pair.source, pair.kind, way.name, seed, figures))
            pictures.setdefault(way.name, []).append(result.picture)
    return rows, pictures
