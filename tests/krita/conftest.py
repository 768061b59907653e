"""Fixtures of the real-Krita tests."""

import signal
from collections.abc import Iterator

import pytest

from tests.krita.harness import needs
from tests.krita.harness.art import Art, draw
from tests.krita.harness.scenario_player import ScenarioPlayer


@pytest.fixture(scope="session")
def player(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScenarioPlayer]:
    """Krita with the plugin installed, for the whole run."""
    if needs.missing():
        (pytest.fail if needs.required() else pytest.skip)(needs.missing())
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that a run that is ended clears up as well
    player = ScenarioPlayer(tmp_path_factory.mktemp("krita"))
    try:
        yield player
    finally:
        left = player.close()
        signal.signal(signal.SIGTERM, before)
    assert not left, f"these had to be ended by force: {left}"


@pytest.fixture(scope="session")
def art(tmp_path_factory: pytest.TempPathFactory) -> Art:
    """The drawing at 1024 x 1024."""
    return draw(tmp_path_factory.mktemp("art"), (1024, 1024))


@pytest.fixture(scope="session")
def small_art(tmp_path_factory: pytest.TempPathFactory) -> Art:
    """The drawing at 333 x 257, an odd size, for everything that is not about speed."""
    return draw(tmp_path_factory.mktemp("small_art"), (333, 257))
