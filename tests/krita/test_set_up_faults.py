"""The docker and the installer, both the real ones, while everything that can go wrong in a set-up does.

The packages are tiny and come from an index of the tests, which has all the faults of a network; so a set-up takes seconds.
``test_release.py`` sets the real ones up.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.krita.harness import kritas
from tests.krita.harness.art import Art
from tests.krita.harness.evidence import Evidence
from tests.krita.harness.release_zip import TINY_WHEELS, make_tiny_zip, package_files
from tests.krita.harness.tiny_set_up import TinySetUp, tiny_set_up

pytestmark = [pytest.mark.krita, pytest.mark.slow, pytest.mark.timeout(900)]


def moment(name: str, phase: str, victim: str = "installer", **where: Any) -> dict[str, Any]:
    """When to kill whom: in which phase, at which part of it, at which words; ``index``: how the index is to be before."""
    return {"name": name, "phase": phase, "victim": victim, **where}


DISK_MB = 160
NEWER = "7.0.0"
QUICK = {"bytes_per_second": 400_000}
ROUNDS = (
    (
        moment("at once", "check"),
        moment("making the environment", "check", words="virtual environment"),
        moment("resolving", "resolve"),
        moment("download begun", "download", index=QUICK),
        moment("a third", "download", "krita", fraction=0.33, index=QUICK),
    ),
    (
        moment("half", "download", fraction=0.5, index=QUICK),
        moment("two thirds", "download", "both", fraction=0.66, index=QUICK),
    ),
    (
        moment("three quarters", "download", fraction=0.75, index=QUICK),
        moment("unpacking", "install"),
        moment("half unpacked", "install", files=100),
        moment("trying out", "try_out"),
        moment("activated", "activated"),
    ),
)
"""One set-up, three Kritas."""
GOES_ON = ("at once", "half")
"""The first kill of the installer in each Krita.  The third begins with one: it finds the set-up cut off."""
KILLS = [each for moments in ROUNDS for each in moments]


@dataclass(frozen=True)
class KilledSetUp:
    """What was seen of the set-up that was killed again and again."""

    painter: TinySetUp
    rounds: list[Evidence]

    def note(self, name: str) -> dict[str, Any]:
        """What was seen at one kill."""
        return next(seen[name] for seen in self.rounds if name in seen.values)


@pytest.fixture(scope="module")
def killed(krita: kritas.Krita, small_art: Art, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KilledSetUp]:
    with tiny_set_up(krita, small_art, tmp_path_factory.mktemp("killed")) as painter:
        rounds: list[Evidence] = []
        pid = 0
        for number, moments in enumerate(ROUNDS):
            last = moments[-1]
            given = {"moments": moments, "is_first": number == 0, "pid": pid}
            rounds.append(painter.play("set_up_killed", f"set_up_killed{number + 1}", given, last["victim"] != "installer"))
            pid = rounds[-1][last["name"]]["pid"] if last["victim"] == "both" else 0
        yield KilledSetUp(painter, rounds)


@pytest.mark.parametrize("name", [each["name"] for each in KILLS if each["phase"] != "activated"])
def test_nothing_half_installed_is_there_to_be_started(killed: KilledSetUp, name: str) -> None:
    seen = killed.note(name)
    assert not seen["record"] and not seen["servers"]
    assert seen.get("after", seen)["servers"] == []


def test_every_kill_came_in_its_phase(killed: KilledSetUp) -> None:
    phases = [killed.note(each["name"])["phase"] for each in KILLS]
    assert phases == [each["phase"].replace("activated", "try_out") for each in KILLS]


def test_the_docker_goes_on_by_itself_once_and_then_offers_to_continue(killed: KilledSetUp) -> None:
    for each in KILLS:
        page = killed.note(each["name"])["page"]
        if each["victim"] == "installer" and each["phase"] != "activated":
            goes_on = each["name"] in GOES_ON
            assert page["setupTitle"] == ("Setting up Linewash" if goes_on else "The set-up was cut off"), each
            assert page["setupButton"] == ("Pause" if goes_on else "Continue"), each
            assert goes_on or "Continue goes on from there." in page["setupText"]


def test_a_krita_that_is_killed_leaves_the_installer_at_work(killed: KilledSetUp) -> None:
    begin = killed.rounds[1]["begin"]
    assert begin["pid"] == killed.note("a third")["pid"]
    assert begin["page"]["setupTitle"] == "Setting up Linewash"


def test_it_colors_in_the_end_and_every_file_is_right(killed: KilledSetUp) -> None:
    assert killed.rounds[-1]["layers"] == ["Background", "Foreground"]
    installation = json.loads((killed.painter.home / "program" / "installation.json").read_text())
    (packages,) = Path(installation["python"]).parent.parent.glob("lib/*/site-packages")
    for name, content in package_files().items():
        assert (packages / name).read_bytes() == content, name


def small_disk(folder: Path) -> tuple[str, ...]:
    """What starts a program that has a small file system in place of ``folder``; needs no root."""
    folder.mkdir(parents=True)
    user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    script = f'mount -t tmpfs -o size={DISK_MB}m tmpfs "$0" && exec "$@"'
    return ("unshare", *user, "--mount", "--propagation", "private", "sh", "-c", script, str(folder))


@pytest.fixture(scope="module")
def troubled(krita: kritas.Krita, small_art: Art, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evidence]:
    root = tmp_path_factory.mktemp("troubled")
    with tiny_set_up(krita, small_art, root) as painter:
        yield replace(painter, prefix=small_disk(painter.home)).play(
            "set_up_troubles", "set_up_troubles", {"wheels": list(TINY_WHEELS)}
        )


TROUBLES = (
    ("full disk at the start", "The disk is full."),
    ("full disk while copying", "The disk is full."),
    ("no network", "The server with the packages could not be reached."),
    ("damaged files", "arrived damaged"),
    ("network gone", "The server with the packages could not be reached."),
    ("full disk while downloading", "The disk is full."),
    ("too little space for the rest", "of free disk space, and only"),
)


@pytest.mark.parametrize(("name", "sentence"), TROUBLES)
def test_each_trouble_is_said_with_what_to_do(troubled: Evidence, name: str, sentence: str) -> None:
    seen = troubled[name]
    assert sentence in seen["page"]["setupMessage"]
    assert not seen["record"] and not seen["servers"]


def test_once_mended_it_colors(troubled: Evidence) -> None:
    assert troubled["layers"] == ["Background", "Foreground"]


@pytest.fixture(scope="module")
def cared_for(killed: KilledSetUp, tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """The set-up that was killed so often is whole: a newer release is imported over it, and it is updated and so on."""
    newer = make_tiny_zip(tmp_path_factory.mktemp("newer") / "linewash.zip", NEWER)
    killed.painter.play("import_release", "import_newer_release", {"zip": str(newer), "is_newer": True})
    return killed.painter.play("care_for_backend", "care_for_backend")


def test_a_newer_release_offers_an_update_that_colors(cared_for: Evidence) -> None:
    assert cared_for["offered"]["setupTitle"] == "Update Linewash"
    assert NEWER in cared_for["offered"]["setupText"]
    assert cared_for["updated"]["results"] == 1 and cared_for["updated"]["record"]


def test_a_drawing_in_progress_is_colored_before_the_backend_is_repaired(cared_for: Evidence) -> None:
    waiting = cared_for["waiting"]
    assert waiting["page"]["setupSentence"] == "Waiting until the drawing in progress is colored …"
    assert waiting["server"] and not waiting["installer"] and waiting["results"] == 1


def test_a_damaged_file_is_repaired(cared_for: Evidence) -> None:
    assert cared_for["repaired"] == {"is_whole": True, "server": 0}
    assert cared_for["repaired_results"] == 3


def test_remove_leaves_what_is_the_painters(cared_for: Evidence) -> None:
    removed = cared_for["removed"]
    assert removed["page"]["setupTitle"] == "Linewash is removed"
    assert not removed["record"] and not removed["servers"]
    assert "models/own.safetensors" in removed["left"] and "jobs/JOB/result/composite.png" in removed["left"]
    assert not [name for name in removed["left"] if name.startswith(("program/", "tools/", "runtime/"))], removed["left"]
    before, after = cared_for["document"]
    assert before == after and any(name.startswith("Linewash") for name in after)
