"""Everything that can be wrong before colors come back: its own sentence, and a document that stays byte-identical."""

from pathlib import Path

import pytest

from shared.errors import ERRORS, ErrorCode
from tests.krita.harness.art import Art, draw
from tests.krita.harness.evidence import Evidence
from tests.krita.harness.scenario_player import ScenarioPlayer

pytestmark = [pytest.mark.krita, pytest.mark.timeout(1200)]
SIZE = (333, 257)
BY_INPUT = (
    ErrorCode.NO_DOCUMENT,
    ErrorCode.NO_LINES,
    ErrorCode.EMPTY_LINES,
    ErrorCode.NO_REFERENCE,
    ErrorCode.EMPTY_REFERENCE,
    ErrorCode.REFERENCE_UNREADABLE,
    ErrorCode.EMPTY_SELECTION,
    ErrorCode.EMPTY_MASK,
    ErrorCode.MASK_SIZE,
    ErrorCode.CANVAS_TOO_LARGE,
    ErrorCode.CANVAS_TOO_SMALL,
    ErrorCode.DISK_FULL,
)
BY_BACKEND = (
    ErrorCode.NOT_INSTALLED,
    ErrorCode.BACKEND_START,
    ErrorCode.VERSION_MISMATCH,
    ErrorCode.BAD_TOKEN,
    ErrorCode.MODEL_CORRUPT,
)


@pytest.fixture(scope="module")
def inputs(player: ScenarioPlayer, small_art: Art, tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    folder = tmp_path_factory.mktemp("bad")
    text = folder / "reference.png"
    text.write_text("this is no image")
    small = draw(folder / "small", (160, 128))
    files = {"lines": small_art.lines, "reference": small_art.reference, "small_mask": small.scan, "not_a_picture": text}
    paths = {name: str(path) for name, path in files.items()}
    return player.play("bad_inputs", {"size": SIZE, "home": str(player.home), **paths})


@pytest.fixture(scope="module")
def backends(player: ScenarioPlayer, small_art: Art) -> Evidence:
    home: Path = player.root / "bad home"
    files = {"lines": str(small_art.lines), "reference": str(small_art.reference)}
    return player.play("bad_backends", {"size": SIZE, "home": str(home), **files}, home)


def check(seen: Evidence, code: ErrorCode) -> None:
    """The sentence of ``code``, and nothing changed."""
    step = seen[code.value]
    assert ERRORS[code].message in step["says"]
    assert ERRORS[code].hint in step["says"]
    assert step["after"] == step["before"]


@pytest.mark.parametrize("code", BY_INPUT)
def test_bad_input_has_its_own_sentence(inputs: Evidence, code: ErrorCode) -> None:
    check(inputs, code)


@pytest.mark.parametrize("code", BY_BACKEND)
def test_bad_backend_has_its_own_sentence(backends: Evidence, code: ErrorCode) -> None:
    check(backends, code)


def test_next_job_works(inputs: Evidence, backends: Evidence) -> None:
    for seen in (inputs, backends):
        assert seen["next"]["groups"] == 1
        assert "Done" in seen["next"]["says"]


def test_every_sentence_is_its_own() -> None:
    sentences = [ERRORS[code].message for code in BY_INPUT + BY_BACKEND]
    assert len(set(sentences)) == len(sentences)
