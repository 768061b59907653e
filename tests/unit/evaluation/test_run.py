"""From pairs to tables and report, with a family whose answers are known."""

import json
import re
from html import escape

import numpy as np
import pytest
from rich.console import Console

from backend.contract.family import ColorModel
from backend.evaluation.aggregate import share_of_varied_regions, summarize
from backend.evaluation.colorize_pair import ColorizeOptions
from backend.evaluation.methods import Role, all_methods
from backend.evaluation.pairs import Pair
from backend.evaluation.report import Report, render_html
from backend.evaluation.run import Measurements, measure, to_json, warm_up
from backend.evaluation.table import COLUMNS, metrics_table
from backend.evaluation.uncolored_drawings import NamedImage, choose_references, colorize_by_references
from shared.protocol import Finish

SETTINGS = ColorizeOptions(Finish.FLATS, guess_masks=True)


@pytest.fixture(scope="module")
def measured(boxes_pair: Pair, disc_model: ColorModel) -> Measurements:
    methods = all_methods(disc_model, disc_model.spec.finishes, SETTINGS)
    warm_up(methods, boxes_pair)
    return measure([boxes_pair], disc_model, methods, SETTINGS, 2, None)


def test_oracles_are_the_most_that_can_be_reached(boxes_pair: Pair, disc_model: ColorModel) -> None:
    methods = all_methods(disc_model, (), ColorizeOptions(Finish.FLATS))
    rows = {
        row.method: row.metrics
        for row in measure([boxes_pair], disc_model, methods, ColorizeOptions(Finish.FLATS), 1, None).rows
    }
    assert rows["best color per region"].difference < 0.5
    assert rows["best palette color"].difference < 0.5  # the reference shows the very same colors
    assert rows["white"].difference > 10 and rows["mean color"].difference > 10
    assert rows["best color per region"].leak == 0 and rows["best color per region"].bleed == 0
    assert rows["best color per region"].psnr > rows["white"].psnr


def test_a_palette_without_the_color_is_a_worse_oracle(boxes_pair: Pair, disc_model: ColorModel) -> None:
    gray = Pair(
        boxes_pair.name,
        boxes_pair.line,
        boxes_pair.color,
        boxes_pair.mask,
        np.full_like(boxes_pair.reference, 128),
        boxes_pair.mask,
    )
    methods = [method for method in all_methods(disc_model, (), ColorizeOptions(Finish.FLATS)) if method.role is Role.ORACLE]
    rows = {
        row.method: row.metrics for row in measure([gray], disc_model, methods, ColorizeOptions(Finish.FLATS), 1, None).rows
    }
    assert rows["best palette color"].difference > 10 > rows["best color per region"].difference


def test_seeds_have_a_spread_and_vary_regions(measured: Measurements) -> None:
    summaries = {summary.method: summary for summary in summarize(measured.rows)}
    flats = [row.metrics.difference for row in measured.rows if row.method == "flats"]
    assert len(flats) == 2 and summaries["flats"].mean.difference == pytest.approx(np.mean(flats))
    assert summaries["flats"].spread.difference == pytest.approx(np.std(flats, ddof=1))
    assert np.isnan(summaries["white"].spread.difference) and summaries["white"].images == 1
    assert summaries["flats"].mean.calls == 2 and np.isnan(summaries["white"].mean.calls)
    (variation,) = [v for v in measured.variations if v.method == "flats"]
    assert variation.regions == 1 and variation.cost == pytest.approx(flats[1] - flats[0])


def test_regions_that_differ_are_counted(boxes_pair: Pair) -> None:
    other = boxes_pair.color.copy()
    other[32:98, 62:138] = (10, 10, 10)
    assert share_of_varied_regions(boxes_pair, [boxes_pair.color, boxes_pair.color]) == 0
    assert share_of_varied_regions(boxes_pair, [boxes_pair.color, other]) == pytest.approx(1 / 3)
    assert np.isnan(share_of_varied_regions(boxes_pair, [boxes_pair.color]))


def test_guessed_masks_are_measured(measured: Measurements) -> None:
    (row,) = measured.masks
    assert 0 < row.raw < 1 and row.colored == row.raw and 0 < row.reference < 1


def test_the_table_says_unknown_for_what_is(measured: Measurements) -> None:
    console = Console(width=250, record=True)
    with console.capture() as capture:
        console.print(metrics_table("made", summarize(measured.rows), COLUMNS))
    (white,) = [line for line in capture.get().splitlines() if "white" in line]
    cells = [cell.strip() for cell in white.split("│")]
    assert cells[11] == "–" and re.fullmatch(r"\d+\.\d\d", cells[2])
    assert any("±" in line for line in capture.get().splitlines() if "flats" in line)


def test_the_report_stands_alone_and_shows_everything(boxes_pair: Pair, disc_model: ColorModel, measured: Measurements) -> None:
    drawing = NamedImage("dr<a>wing", np.dstack([boxes_pair.line] * 3))
    strip = colorize_by_references(disc_model, drawing, choose_references([boxes_pair]), disc_model.spec.finishes, SETTINGS)
    captions = ["drawing", "foreground, guessed", "000 made-boxes", "flats", "painted"]
    assert [shown.caption for shown in strip.images] == captions
    report = Report(
        "DiscModel",
        {"a": "b"},
        measured.rows,
        frozenset(("flats",)),
        measured.masks,
        measured.variations,
        measured.strips,
        (strip,),
    )
    page = render_html(report)
    assert "dr&lt;a&gt;wing" in page and "<a>" not in page
    assert all(address.startswith("data:image/webp;base64,") for address in re.findall(r'src="([^"]*)"', page))
    assert page.count("<img") == 3 + 2 + 2 * 2 + 2 + 5  # lines, reference, truth; baselines; seeds; oracles; the drawing
    assert "http" not in page and page.count('class="family"') >= 1
    for column in COLUMNS:
        assert escape(column.meaning) in page


def test_metrics_are_plain_json(measured: Measurements) -> None:
    data = json.loads(to_json({"model": "disc-model"}, measured.rows))
    white = next(row for row in data["rows"] if row["method"] == "white")
    assert white["metrics"]["lpips"] is None and white["metrics"]["difference"] > 10
    assert white["source"] == "made-boxes" and white["kind"] == "made"
