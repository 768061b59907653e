"""What may happen between the click and the colors: nothing half-done, one sentence, and the next job works."""

import pytest

from shared.errors import ERRORS, ErrorCode
from tests.krita.harness.art import Art
from tests.krita.harness.compare import Snapshot, groups, layers, untouched
from tests.krita.harness.evidence import Evidence
from tests.krita.harness.scenario_player import ScenarioPlayer

pytestmark = [pytest.mark.krita, pytest.mark.core, pytest.mark.timeout(1200)]
SIZE = (333, 257)


@pytest.fixture(scope="module")
def seen(player: ScenarioPlayer, small_art: Art) -> Evidence:
    files = {"lines": str(small_art.lines), "reference": str(small_art.reference), "home": str(player.home)}
    return player.play("interruptions", {"size": SIZE, **files})


def says(code: ErrorCode, text: str) -> bool:
    """Whether the status line shows the sentence of ``code``."""
    return ERRORS[code].message in text


def lines(snapshot: Snapshot) -> str:
    """The hash of the line layer's pixels."""
    (found,) = (layer["sha256"] for layer in layers(snapshot) if layer["name"] == "Lines")
    return found


def test_two_quick_clicks_are_one_job(seen: Evidence) -> None:
    assert seen["clicked_twice"] == 1


def test_cancel_leaves_the_document_as_it_was(seen: Evidence) -> None:
    assert seen["cancelled"]["after"] == seen["cancelled"]["before"]
    assert "cancel" in seen["cancelled"]["says"].lower()


def test_next_job_works_after_a_cancel(seen: Evidence) -> None:
    assert seen["after_cancel"] == 1


def test_painting_on_is_kept(seen: Evidence) -> None:
    """The stroke in hand when the colors arrive is finished first; then the colors are one step, each stroke another."""
    after, undone = seen["painted_on"]["after"], seen["painted_on"]["undone"]
    assert seen["stroke"] == "Freehand Brush Stroke"
    assert seen["while_painting"] == 0
    assert len(groups(after)) == 1
    assert untouched(undone, after)
    pixels = [lines(snapshot) for snapshot in (undone, seen["one_stroke_less"], seen["no_stroke"])]
    assert len(set(pixels)) == 3
    assert not groups(undone)


def test_result_lands_in_the_document_that_asked(seen: Evidence) -> None:
    step = seen["switched"]
    assert len(groups(step["after"])) == 1
    assert untouched(step["before"], step["after"])
    assert step["other_after"] == step["other_before"]
    assert step["active"], "the painter's document must stay in front"


def test_resized_canvas_gets_nothing_and_says_so(seen: Evidence) -> None:
    step = seen["resized"]
    assert step["after"] == step["before"]
    assert says(ErrorCode.CANVAS_CHANGED, step["says"])


def test_what_lost_its_place_is_brought_in_at_its_own_size(seen: Evidence) -> None:
    step, brought = seen["resized"], seen["brought"]
    assert untouched(step["before"], brought["after"])
    (group,) = groups(brought["after"])
    assert group["bounds"] == [0, 0, *SIZE]
    assert brought["says"].startswith("Brought in") and brought["undo"] == "Add Layer" and not brought["offered"]


def test_what_is_discarded_is_forgotten(seen: Evidence) -> None:
    assert seen["discarded"] == {"after": seen["line_layer_deleted"]["after"], "offered": False}


def test_deleted_line_layer_gets_nothing_and_says_so(seen: Evidence) -> None:
    step = seen["line_layer_deleted"]
    assert step["after"] == step["before"]
    assert says(ErrorCode.LAYER_GONE, step["says"])


def test_killed_backend_inserts_nothing_and_says_so(seen: Evidence) -> None:
    step = seen["killed"]
    assert step["after"] == step["before"]
    assert says(ErrorCode.BACKEND_GONE, step["says"])


def test_killed_backend_is_started_anew_by_the_next_click(seen: Evidence) -> None:
    assert seen["after_kill"]["count"] == 1


def test_crashed_model_inserts_nothing_and_says_so(seen: Evidence) -> None:
    step = seen["worker_killed"]
    assert step["after"] == step["before"]
    assert says(ErrorCode.WORKER_CRASHED, step["says"])
    assert seen["after_worker_kill"] == 1


def test_closed_document_disturbs_nobody(seen: Evidence) -> None:
    step = seen["closed"]
    assert step["after"] == step["before"]
    assert step["rests"]
    assert says(ErrorCode.DOCUMENT_CLOSED, step["says"])
