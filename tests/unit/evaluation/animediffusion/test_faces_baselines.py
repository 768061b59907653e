"""The metrics if an image of the reference, or of its mean color, stood in place of a painted face."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from backend.evaluation.animediffusion.cli import app
from backend.evaluation.animediffusion.faces import (
    CROSS,
    MEAN_COLOR,
    MODEL,
    REFERENCE,
    SAME,
    FaceOptions,
    colorize_by_baselines,
    reference_number,
)
from backend.training.animediffusion.dataset import FacePairs, center_square
from backend.training.synthetic.faces import write_faces
from tests.parity.golden import ANIME, golden

PLAIN = FaceOptions(side=32, warp_references=False)


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faces")
    write_faces(folder, 4, 64, seed=8)
    return folder


def test_a_face_is_its_own_reference_and_another_is_not(faces: Path) -> None:
    data = FacePairs(faces)
    same, cross = (colorize_by_baselines(data, protocol, PLAIN, 4) for protocol in (SAME, CROSS))
    assert all(np.array_equal(shown, truth) for shown, truth in same[REFERENCE])
    for number, (shown, truth) in enumerate(cross[REFERENCE]):
        assert np.array_equal(truth, center_square(data.read(number).color, 32)) and not np.array_equal(shown, truth)
        assert np.array_equal(shown, center_square(data.read(reference_number(number, 4, CROSS, 0)).color, 32))


def test_the_mean_color_is_that_of_the_reference(faces: Path) -> None:
    for plain, truth in colorize_by_baselines(FacePairs(faces), SAME, PLAIN, 3)[MEAN_COLOR]:
        assert plain.shape == truth.shape and (plain == plain[0, 0]).all()
        assert np.abs(plain[0, 0] - truth.mean((0, 1))).max() <= 0.5


def test_warped_references_are_shown_warped(faces: Path) -> None:
    warped = colorize_by_baselines(FacePairs(faces), SAME, FaceOptions(side=32), 2)[REFERENCE]
    assert all(not np.array_equal(shown, truth) for shown, truth in warped)


def test_the_command_measures_them_where_asked(faces: Path, tmp_path: Path) -> None:
    asked = [str(golden(ANIME).sd), str(faces), "--side", "32", "--steps", "1", "--baselines", "--out", str(tmp_path)]
    result = CliRunner().invoke(app, asked)
    assert result.exit_code == 0, result.output
    rows = json.loads((tmp_path / "metrics.json").read_text())
    expected = [
        (SAME, MODEL),
        (CROSS, MODEL),
        *((protocol, by) for protocol in (SAME, CROSS) for by in (REFERENCE, MEAN_COLOR)),
    ]
    assert [(row["protocol"], row["method"]) for row in rows] == expected
    assert rows[2]["psnr"] > rows[4]["psnr"], "itself, warped, is nearer than another face"
