"""Fixtures of the real-Krita tests."""

import signal
from collections.abc import Iterator

import pytest

from tests.krita.harness import kritas, needs
from tests.krita.harness.art import Art, draw
from tests.krita.harness.scenario_player import ScenarioPlayer
from tests.krita.harness.tally import Tally

TALLY = pytest.StashKey[Tally]()


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a ``--krita`` that means nothing before anything runs."""
    try:
        kritas.chosen(config.getoption("--krita"))
    except ValueError as error:
        raise pytest.UsageError(str(error)) from error
    config.stash[TALLY] = Tally()
    config.pluginmanager.register(config.stash[TALLY])


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test that drives Krita runs in each of those that ``--krita`` names, one after the other."""
    names = kritas.chosen(metafunc.config.getoption("--krita"))
    if names and "krita" in metafunc.fixturenames:
        metafunc.parametrize("krita", names, indirect=True, scope="session")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a storm of events the window stands still, so its stalls are not judged."""
    stalls = [item for item in items if config.getoption("--event-storm") and "stall" in item.name]
    if stalls:
        config.hook.pytest_deselected(items=stalls)
        items[:] = [item for item in items if item not in stalls]


@pytest.fixture(scope="session")
def krita(request: pytest.FixtureRequest) -> kritas.Krita:
    """The Krita to drive.  One that was asked for by its version must be there."""
    name = getattr(request, "param", "")
    try:
        return kritas.find(name)
    except kritas.NotHere as error:
        (pytest.fail if name or needs.required() else pytest.skip)(str(error))


@pytest.fixture(scope="session")
def player(
    krita: kritas.Krita, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ScenarioPlayer]:
    """Krita with the plugin installed, for all its tests."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that a run that is ended clears up as well
    player = ScenarioPlayer(
        tmp_path_factory.mktemp("krita"), krita, event_storm=bool(request.config.getoption("--event-storm"))
    )
    request.config.stash[TALLY].versions[krita.name] = player.version
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
