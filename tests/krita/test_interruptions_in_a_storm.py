"""What ``test_interruptions.py`` judges, with all kinds of events handled inside each of Krita's calls that handle any."""

import pytest

from tests.krita.harness.art import Art
from tests.krita.harness.evidence import Evidence
from tests.krita.harness.scenario_player import ScenarioPlayer
from tests.krita.test_interruptions import (
    SIZE,
    test_cancel_leaves_the_document_as_it_was,
    test_closed_document_disturbs_nobody,
    test_crashed_model_inserts_nothing_and_says_so,
    test_deleted_line_layer_gets_nothing_and_says_so,
    test_killed_backend_inserts_nothing_and_says_so,
    test_killed_backend_is_started_anew_by_the_next_click,
    test_next_job_works_after_a_cancel,
    test_painting_on_is_kept,
    test_resized_canvas_gets_nothing_and_says_so,
    test_result_lands_in_the_document_that_asked,
    test_two_quick_clicks_are_one_job,
    test_what_is_discarded_is_forgotten,
    test_what_lost_its_place_is_brought_in_at_its_own_size,
)

pytestmark = [pytest.mark.krita, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def seen(player: ScenarioPlayer, small_art: Art) -> Evidence:
    files = {"lines": str(small_art.lines), "reference": str(small_art.reference), "home": str(player.home)}
    return player.play("interruptions", {"size": SIZE, **files}, name="interruptions_in_a_storm", event_storm=True)


__all__ = [
    "test_cancel_leaves_the_document_as_it_was",
    "test_closed_document_disturbs_nobody",
    "test_crashed_model_inserts_nothing_and_says_so",
    "test_deleted_line_layer_gets_nothing_and_says_so",
    "test_killed_backend_inserts_nothing_and_says_so",
    "test_killed_backend_is_started_anew_by_the_next_click",
    "test_next_job_works_after_a_cancel",
    "test_painting_on_is_kept",
    "test_resized_canvas_gets_nothing_and_says_so",
    "test_result_lands_in_the_document_that_asked",
    "test_two_quick_clicks_are_one_job",
    "test_what_is_discarded_is_forgotten",
    "test_what_lost_its_place_is_brought_in_at_its_own_size",
]
