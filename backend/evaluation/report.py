"""Writes report.html: one file with its images inside."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import cv2
import numpy as np

from backend.evaluation.aggregate import Summary, Variation, mean_of_known, summarize
from backend.evaluation.metrics.mask_metrics import MaskRow
from backend.evaluation.scoring import Row
from backend.evaluation.table import COLUMNS, UNKNOWN, format_cell, format_number
from backend.imaging.resize import fit
from backend.imaging.types import Rgb

SIDE, QUALITY = 320, 82
"""Longest side of an image in the report, pixels, and its WebP quality."""
NOTE_METRICS = ("difference", "close", "lpips", "leak")
"""Metrics that stand under a single image."""
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; background: #fafafa }
body { margin: 2rem auto; max-width: 1500px; padding: 0 1rem }
h1 { font-size: 1.6rem } h2 { font-size: 1.2rem; margin: 2.2rem 0 .5rem } h3 { font-size: 1rem; margin: 1.2rem 0 .3rem }
.wide { overflow-x: auto }
table { border-collapse: collapse; background: #fff; font-variant-numeric: tabular-nums }
th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid #e4e4e4; white-space: nowrap }
th:first-child, td:first-child { text-align: left }
tr.family td { background: #eef5ff; font-weight: 600 }
.row { display: flex; flex-wrap: wrap; gap: .6rem; padding-bottom: .4rem }
figure { margin: 0; flex: 0 0 auto } figcaption { font-size: .8rem; color: #555; max-width: 250px }
img { height: 230px; border: 1px solid #ddd; background: #fff; display: block }
dl { display: grid; grid-template-columns: max-content auto; gap: .1rem 1rem; font-size: .85rem }
dt { font-weight: 600 } dd { margin: 0 }
"""


@dataclass(frozen=True)
class ReportImage:
    """An image of the report."""

    caption: str
    """The method, and the seed where there are several."""
    note: str
    """Metrics under the caption; '' = none."""
    address: str
    """The image as a data URL."""


@dataclass(frozen=True)
class ImageStrip:
    """One drawing: a title and images in a row."""

    title: str
    """Name of the drawing."""
    images: tuple[ReportImage, ...]
    """From left to right."""


@dataclass(frozen=True)
class Report:
    """The content of the report."""

    title: str
    """The page's heading."""
    settings: dict[str, str]
    """How the evaluation was run: names and values."""
    rows: tuple[Row, ...]
    """One for each pair, method and seed."""
    family: frozenset[str]
    """Names of the model's methods; tables emphasize them."""
    masks: tuple[MaskRow, ...]
    """One for each pair; empty where no mask was guessed."""
    variations: tuple[Variation, ...]
    """One for each method of the model; empty for a single seed."""
    strips: tuple[ImageStrip, ...]
    """The pairs."""
    drawings: tuple[ImageStrip, ...]
    """Drawings without a known truth."""


def report_image(caption: str, rgb: Rgb, note: str = "") -> ReportImage:
    """An image (h, w, 3) reduced for the report."""
    small = np.ascontiguousarray(fit(rgb, SIDE)[..., ::-1])
    _, data = cv2.imencode(".webp", small, [cv2.IMWRITE_WEBP_QUALITY, QUALITY])
    return ReportImage(caption, note, "data:image/webp;base64," + base64.b64encode(data.tobytes()).decode("ascii"))


def metrics_note(row: Row) -> str:
    """The metrics under a single result."""
    columns = [column for column in COLUMNS if column.field in NOTE_METRICS]
    values = [(column, getattr(row.metrics, column.field)) for column in columns]
    return " · ".join(f"{c.title} {format_number(v * c.factor, c.digits)}" for c, v in values if not np.isnan(v))


def render_html(report: Report) -> str:
    """The report as an HTML page."""
    kinds = list(dict.fromkeys(row.kind for row in report.rows))
    parts = [f"<h1>{escape(report.title)}</h1>", _definition_list(report.settings)]
    for kind in kinds:
        rows = [row for row in report.rows if row.kind == kind]
        parts.append(f"<h2>{escape(kind)}: {len({row.pair for row in rows})} drawings</h2>")
        parts.append(_metrics_table(summarize(rows), report.family))
        parts.append(_sources_table(rows, report.family))
    parts.append("<h2>What the columns say</h2>" + _definition_list({column.title: column.meaning for column in COLUMNS}))
    if report.masks:
        parts.append("<h2>Automatic masks, intersection over union</h2>" + _masks_table(report.masks))
    if report.variations:
        body = [(v.method, format_number(v.regions, 3), format_number(v.cost, 2)) for v in report.variations]
        parts.append("<h2>Variations by seed</h2>" + _html_table(("", "regions that differ", "cost in ΔE"), body))
    if report.drawings:
        parts.append("<h2>Drawings without a known truth</h2>" + "".join(map(_strip_html, report.drawings)))
    parts.append("<h2>Drawing by drawing</h2>" + "".join(map(_strip_html, report.strips)))
    head = f'<meta charset="utf-8"><title>{escape(report.title)}</title><style>{STYLE}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n' + "\n".join(parts) + "\n</body></html>\n"


def _definition_list(values: dict[str, str]) -> str:
    return "<dl>" + "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in values.items()) + "</dl>"


def _html_table(head: Sequence[str], body: Sequence[Sequence[str]], marked: frozenset[str] = frozenset()) -> str:
    lines = ["<tr>" + "".join(f"<th>{escape(text)}</th>" for text in head) + "</tr>"]
    for row in body:
        kind = ' class="family"' if row[0] in marked else ""
        lines.append(f"<tr{kind}>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>")
    return '<div class="wide"><table>' + "".join(lines) + "</table></div>"


def _metrics_table(rows: Sequence[Summary], family: frozenset[str]) -> str:
    body = [(row.method, *(format_cell(row, column) for column in COLUMNS)) for row in rows]
    return _html_table(("", *(column.title for column in COLUMNS)), body, family)


def _sources_table(rows: Sequence[Row], family: frozenset[str]) -> str:
    """ΔE and share under 10 of each set; nothing when there is only one."""
    sources, methods = (list(dict.fromkeys(values)) for values in ((r.source for r in rows), (r.method for r in rows)))
    if len(sources) < 2:
        return ""
    body: list[tuple[str, ...]] = []
    for method in methods:
        cells: list[str] = []
        for source in sources:
            metrics = [row.metrics for row in rows if row.method == method and row.source == source]
            mean, close = (mean_of_known([getattr(m, name) for m in metrics]) for name in ("difference", "close"))
            cells.append(f"{format_number(mean, 1)} / {format_number(close, 2)}" if metrics else UNKNOWN)
        body.append((method, *cells))
    return "<h3>Set by set: ΔE / share under 10</h3>" + _html_table(("", *sources), body, family)


def _masks_table(rows: Sequence[MaskRow]) -> str:
    fields = ("drawing", "raw", "colored", "reference")
    kinds = dict.fromkeys(row.kind for row in rows)
    body = [
        (k, *(format_number(mean_of_known([getattr(r, f) for r in rows if r.kind == k]), 3) for f in fields)) for k in kinds
    ]
    return _html_table(("", "bare lines", "before the regions", "true colors", "references"), body)


def _strip_html(strip: ImageStrip) -> str:
    images = "".join(
        f'<figure><img src="{image.address}" alt="{escape(image.caption)}">'
        f"<figcaption>{escape(image.caption)}<br>{escape(image.note)}</figcaption></figure>"
        for image in strip.images
    )
    return f'<h3>{escape(strip.title)}</h3><div class="row">{images}</div>'
