"""The metrics as tables for a terminal; ``COLUMNS`` defines the columns, for the report as well."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table

from backend.evaluation.aggregate import Summary, Variation, mean_of_known
from backend.evaluation.metrics.mask_metrics import MaskRow


@dataclass(frozen=True)
class Column:
    """A column of a table of metrics."""

    field: str
    """Of ``Metrics``."""
    title: str
    """Heading of the column."""
    digits: int
    """Decimal places."""
    factor: float
    """What values are multiplied by; 100 makes percents."""
    meaning: str
    """One sentence for the report."""


COLUMNS = (
    Column(
        "difference", "ΔE", 2, 1, "mean CIEDE2000 outside the lines, on the foreground; on everything where there is no mask"
    ),
    Column("close", "<10", 3, 1, "share of those pixels with a difference under 10"),
    Column("near", "<20", 3, 1, "share of those pixels with a difference under 20"),
    Column("whole", "whole ΔE", 2, 1, "mean CIEDE2000 outside the lines, whole image"),
    Column("whole_close", "whole <10", 3, 1, "share of those pixels with a difference under 10"),
    Column("background", "background ΔE", 2, 1, "mean CIEDE2000 outside the lines and outside the foreground"),
    Column("background_close", "background <10", 3, 1, "share of those pixels with a difference under 10"),
    Column("psnr", "PSNR", 1, 1, "dB; image with lines, inside the bounding box of the foreground"),
    Column("ms_ssim", "MS-SSIM", 3, 1, "image with lines, inside the bounding box of the foreground"),
    Column("lpips", "LPIPS", 3, 1, "image with lines, inside the bounding box of the foreground; lower is better"),
    Column("leak", "leak %", 1, 100, "pixels beside the mask's border that carry the color from the other side of it"),
    Column("bleed", "bleed %", 2, 100, "places where the color changes without a line or a change in the truth"),
    Column("seconds", "s", 2, 1, "seconds on the clock for a drawing, from pixels to layers"),
    Column("cpu", "CPU s", 2, 1, "seconds of the processor for a drawing, all threads together"),
    Column("calls", "calls", 0, 1, "how often a network ran for a drawing"),
)
UNKNOWN = "–"


def format_number(value: float, digits: int) -> str:
    """The number, or a dash when it is unknown."""
    if math.isnan(value):
        return UNKNOWN
    return "∞" if math.isinf(value) else f"{value:.{digits}f}"


def format_cell(summary: Summary, column: Column) -> str:
    """Mean and, where several seeds differ, their spread."""
    mean, spread = (getattr(part, column.field) * column.factor for part in (summary.mean, summary.spread))
    text = format_number(mean, column.digits)
    return text if math.isnan(spread) or spread == 0 else f"{text} ±{format_number(spread, column.digits)}"


def metrics_table(title: str, rows: Sequence[Summary], columns: Sequence[Column]) -> Table:
    """A table with one line for each method."""
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for column in columns:
        table.add_column(column.title, justify="right", no_wrap=True)
    for summary in rows:
        table.add_row(summary.method, *(format_cell(summary, column) for column in columns))
    return table


def masks_table(rows: Sequence[MaskRow]) -> Table:
    """A table of the mean intersection over union for each kind of pair."""
    table = Table(title="Automatic masks, intersection over union", title_justify="left")
    for name in ("", "drawings", "bare lines", "before the regions", "true colors", "references"):
        table.add_column(name, justify="right" if name else "left")
    for kind in dict.fromkeys(row.kind for row in rows):
        same = [row for row in rows if row.kind == kind]
        means = [mean_of_known([getattr(row, name) for row in same]) for name in ("drawing", "raw", "colored", "reference")]
        table.add_row(kind, str(len(same)), *(format_number(mean, 3) for mean in means))
    return table


def variations_table(rows: Sequence[Variation]) -> Table:
    """A table of what another seed changes."""
    table = Table(title="Variations by seed", title_justify="left")
    for name in ("", "regions that differ", "cost in ΔE"):
        table.add_column(name, justify="right" if name else "left")
    for row in rows:
        table.add_row(row.method, format_number(row.regions, 3), format_number(row.cost, 2))
    return table
