"""An old backend is asked to end, and what is said when it stays is true.  The backends here are processes that answer HTTP."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

StartBackend = Callable[..., Any]


def end(plugin: Any, home: Path, end_s: float = 0.3) -> int:
    """Ask it to end; how often it was said that it is at work."""
    said: list[None] = []
    plugin.setup.old_backend.end_backend_when_idle(home, lambda: said.append(None), lambda: False, end_s, claim_s=0)
    return len(said)


def test_without_a_backend_there_is_nothing_to_do(plugin: Any, tmp_path: Path) -> None:
    assert end(plugin, tmp_path) == 0


def test_it_colors_to_the_end_and_then_ends(plugin: Any, tmp_path: Path, start: StartBackend) -> None:
    process = start("queued", "running", "done", ends=True)
    assert end(plugin, tmp_path, 10) == 2
    assert process.wait(10) == 0


@pytest.mark.parametrize(
    ("states", "code", "sentence"),
    [
        (("done", "running"), "setup_busy", "A drawing is still being colored."),
        (("done",), "backend_stays", "The coloring program that runs now does not end."),
    ],
)
def test_what_is_said_of_one_that_stays_is_true(
    states: tuple[str, ...], code: str, sentence: str, plugin: Any, tmp_path: Path, start: StartBackend
) -> None:
    process = start(*states, ends=False)
    with pytest.raises(plugin.shared.errors.LinewashError) as caught:
        end(plugin, tmp_path)
    assert (caught.value.code.value, caught.value.message) == (code, sentence)
    assert process.poll() is None


def test_one_that_answers_no_more_stays(plugin: Any, tmp_path: Path, start: StartBackend) -> None:
    start("done", ends=False).send_signal(signal.SIGSTOP)
    with pytest.raises(plugin.shared.errors.LinewashError) as caught:
        end(plugin, tmp_path)
    assert caught.value.code.value == "backend_stays"
