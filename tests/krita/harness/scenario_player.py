"""One test run's Krita: installed once by the product's own installer, copied for every scenario, cleared away at the end."""

import shutil
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from installer.krita import kritarc
from installer.krita.plugin import assemble_plugin
from installer.krita.vendor import pip_fetcher
from tests.krita.harness import backend, profile
from tests.krita.harness.art import Art
from tests.krita.harness.evidence import Evidence
from tests.krita.harness.krita import play
from tests.krita.harness.kritas import Krita, find
from tests.krita.harness.processes import end_marked

PROJECT = Path(__file__).resolve().parents[3]
ARTIFACTS = PROJECT / "artifacts"
SWATCHES = {"LINEWASH_REGISTRY": "tests.krita.harness.swatches"}
"""The backend colors without the trained model, quickly."""
TRAINED: dict[str, str] = {}
"""The backend colors with the model it ships."""


class ScenarioPlayer:
    """Plays scenarios, each in a fresh copy of one warm profile.

    ``home`` is the data folder that scenarios share unless they ask for their own, so that the backend that the first one
    starts serves the others too.  Its backend colors with ``swatches``; the trained model works in a home of its own.

    krita: which Krita; None = the installed one, or NotHere is raised.  artifacts: what people look at stays in
    ``krita-VERSION/SCENARIO`` below it.  event_storm: for all scenarios, see ``play``.
    """

    def __init__(self, root: Path, krita: Krita | None = None, artifacts: Path = ARTIFACTS, event_storm: bool = False) -> None:
        self.krita = krita or find("")
        self.run = uuid.uuid4().hex
        self.root = root
        self.artifacts = artifacts / self.krita.folder
        self.home = root / "home"
        self._homes = {self.home}
        self._event_storm = event_storm
        self._count = 0
        root.mkdir(parents=True, exist_ok=True)
        self._python = self.krita.backend_python(root)
        self._template = profile.create(root / "template")
        install(self._template, self._python, self.home)
        self.first = self._play("first_start", self._template, "first_start", {}, {}, 900.0, event_storm)

    @property
    def version(self) -> str:
        """What Krita itself says it is."""
        return str(self.first["krita"])

    def play(
        self,
        scenario: str,
        parameters: Mapping[str, Any] | None = None,
        home: Path | None = None,
        model: Mapping[str, str] = SWATCHES,
        name: str = "",
        timeout_s: float = 900.0,
        event_storm: bool = False,
        scale: int = 1,
    ) -> Evidence:
        """Play one scenario; its images stay in ``artifacts/krita/<name>``.

        event_storm: whether all kinds of events are handled inside Krita's calls, see ``linewash_driver/event_storm.py``.
        scale: how many pixels a side the screen has for one of Qt's.
        """
        self._count += 1
        copy = profile.copy(self._template, self.root / f"profile{self._count}")
        home = home or self.home
        self._homes.add(home)
        if home != self.home:
            install(copy, self._python, home)
        storm = event_storm or self._event_storm
        return self._play(scenario, copy, name or scenario, parameters or {}, model, timeout_s, storm, scale)

    def _play(
        self,
        scenario: str,
        where: profile.Profile,
        name: str,
        parameters: Mapping[str, Any],
        environment: Mapping[str, str],
        timeout_s: float,
        event_storm: bool,
        scale: int = 1,
    ) -> Evidence:
        out = self.root / "out" / name
        try:
            settings = (parameters, environment, timeout_s, event_storm, scale)
            return play(self.krita.command, scenario, where, out, self.run, *settings)
        finally:
            keep(out, self.artifacts / name)

    def close(self) -> dict[int, str]:
        """End every backend in its proper way; pid -> command line of what was still there and had to be ended by force."""
        for home in self._homes:
            backend.end(home)
        left = end_marked(self.run)
        for copy in self.root.glob("profile*"):
            shutil.rmtree(copy)
        return left


def play_docker_looks(player: ScenarioPlayer, art: Art, scale: int) -> Evidence:
    """What the docker looks like in a light and a dark theme on a screen of that density."""
    parameters = {"size": (333, 257), "lines": str(art.lines), "reference": str(art.reference)}
    home = player.root / "docker_looks"  # the model that painters see first, and not the tests' own
    return player.play("docker_looks", parameters, home, TRAINED, name=f"docker_looks_{scale}x", scale=scale)


def keep(out: Path, artifacts: Path) -> None:
    """Copy what people look at, images and logs, to where CI keeps it."""
    shutil.rmtree(artifacts, ignore_errors=True)
    artifacts.mkdir(parents=True, exist_ok=True)
    for pattern in ("*.png", "*.log", "*.json*"):
        for file in out.glob(pattern):
            shutil.copy(file, artifacts)


def install(target: profile.Profile, python: Path, home: Path) -> None:
    """What ``install.py`` does to Krita, by the same functions: the plugin into its resource folder, one line into kritarc."""
    assemble_plugin(target.resources / "pykrita", python, home, pip_fetcher(Path(sys.executable)))
    kritarc.write(target.kritarc, kritarc.enable(kritarc.read(target.kritarc)))
