"""Metrics of images whose error is known, and the command that prints them."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from backend.evaluation.baselines import mean_color, same_position, white
from backend.evaluation.cli import app
from backend.evaluation.metrics.color_metrics import score
from backend.evaluation.pairs import Pair, mirror_and_warp_reference, read_folder, read_shard


def test_truth_scores_nothing_and_lines_do_not_count(pair: Pair) -> None:
    scores = score(pair.color, pair.color, pair.line, pair.mask)
    assert scores.mean == 0 and scores.close == 1
    smeared = np.where(pair.line[..., None] < 200, 255 - pair.color, pair.color)
    assert score(smeared, pair.color, pair.line, pair.mask).mean == 0


def test_error_grows_with_the_wrong_share(pair: Pair) -> None:
    wrong = pair.color.copy()
    wrong[:128] = 255 - wrong[:128]
    assert score(wrong, pair.color, pair.line, pair.mask).mean > 5
    wrong_background = np.where(pair.mask[..., None] > 127, pair.color, 0).astype(np.uint8)
    assert score(wrong_background, pair.color, pair.line, pair.mask).mean == 0
    assert np.isnan(score(wrong, pair.color, pair.line, np.zeros_like(pair.mask)).mean)


def test_known_difference() -> None:
    flat = np.zeros((8, 8, 3), np.uint8)
    line, mask = np.full((8, 8), 255, np.uint8), np.full((8, 8), 255, np.uint8)
    scores = score(flat, np.full_like(flat, 255), line, mask)
    assert scores.mean == pytest.approx(100, abs=0.01) and scores.close == 0


def test_baselines(pair: Pair) -> None:
    assert white(pair).min() == 255
    means = mean_color(pair, pair.reference_mask if pair.reference_mask is not None else pair.mask)
    assert len(np.unique(means.reshape(-1, 3), axis=0)) == 2
    assert same_position(pair).shape == pair.color.shape


def test_warping_is_fixed_by_its_seed_and_keeps_colors(pair: Pair) -> None:
    one, same, other = (mirror_and_warp_reference(pair, s) for s in (1, 1, 2))
    assert np.array_equal(one.reference, same.reference) and not np.array_equal(one.reference, other.reference)
    assert np.array_equal(one.color, pair.color)
    assert one.reference_mask is not None and abs(float(one.reference_mask.mean()) - float(pair.mask.mean())) < 30


def test_evaluate_prints_a_table_and_writes_a_report(pair: Pair, shard: Path, tmp_path: Path) -> None:
    for name, image in (("line", pair.line), ("mask", pair.mask), ("color", pair.color), ("ref", pair.reference)):
        shown = image if image.ndim == 2 else np.ascontiguousarray(image[..., ::-1])
        assert cv2.imwrite(str(tmp_path / f"000_{name}.png"), shown)
    assert len(list(read_folder(tmp_path))) == 1
    assert len(list(read_shard(shard))) == 1
    lineart = ["--lineart", str(tmp_path / "000_line.png"), "--references", str(tmp_path / "000_ref.png")]
    for source, options in ((tmp_path, ["--guess", "--finish", "flats", *lineart]), (shard, ["--warp"])):
        out = tmp_path / source.stem
        result = CliRunner().invoke(app, ["--pairs", str(source), "--out", str(out), "--models", str(tmp_path), *options])
        assert result.exit_code == 0, result.output
        for method in ("white", "mean color", "same position", "flats", "best palette color", "best color per region"):
            assert method in result.output
        assert ("painted" in result.output) == (source == shard)
        assert ("Automatic masks" in result.output) == (source == tmp_path)
        assert (out / "report.html").stat().st_size > 10_000
        rows = json.loads((out / "metrics.json").read_text())["rows"]
        assert {row["method"] for row in rows} >= {"flats", "white"}


def test_options_that_make_no_sense_are_refused(shard: Path, tmp_path: Path) -> None:
    base = ["--pairs", str(shard), "--out", str(tmp_path / "out"), "--models", str(tmp_path), "--limit", "0"]
    bad = (["--set", "strength"], ["--set", "strength=1"], ["--mode", "other"], ["--steps", "5", "--model", "none"])
    for options in (["--references", str(shard)], ["--net", "squeeze"], *bad):
        assert CliRunner().invoke(app, base + options).exit_code == 2
    assert not (tmp_path / "out").exists()
