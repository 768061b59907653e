"""From the zip to the first color in a fresh profile: imported by Krita's own importer, set up by the docker itself.

The packages come from the package index that pip uses on this machine, as a painter's do.
"""

import json
import os
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.krita.harness import backend, kritas, profile
from tests.krita.harness.art import Art
from tests.krita.harness.evidence import Evidence
from tests.krita.harness.krita import play
from tests.krita.harness.processes import CLEAN_PATH, end_marked
from tests.krita.harness.release_zip import make_zip
from tests.krita.harness.scenario_player import ARTIFACTS, keep

pytestmark = [pytest.mark.krita, pytest.mark.slow, pytest.mark.timeout(2400)]
SETUP_S = 1500.0


@dataclass(frozen=True)
class NewPainter:
    """What a painter sees who starts with nothing but the zip."""

    imported: Evidence
    used: Evidence
    home: Path


def pip_settings() -> dict[str, str]:
    """How pip reaches its index on this machine, and a Python that is not Krita's, last in PATH."""
    settings = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    return {**settings, "PATH": f"{CLEAN_PATH}:{sys.base_prefix}/bin"}


def command(krita: kritas.Krita) -> list[str]:
    """What starts Krita; one in a root of its own sees this machine's Python, certificates and wheels as well."""
    certificates = str(Path(os.environ.get("PIP_CERT", "none")).parent)
    folders = [sys.base_prefix, certificates, *os.environ.get("PIP_FIND_LINKS", "").split()]
    kept = ":".join(folder for folder in folders if Path(folder).is_absolute() and Path(folder).is_dir())
    return [f"{word}:{kept}" if word.startswith("KEEP=") else word for word in krita.command]


@pytest.fixture(scope="session")
def new_painter(krita: kritas.Krita, art: Art, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewPainter]:
    root, run = tmp_path_factory.mktemp("release"), uuid.uuid4().hex
    where = profile.create(root / "profile")
    home = root / "profile" / "data" / "linewash"
    size = (1024, 1024)
    art_files = {"size": size, "lines": str(art.lines), "reference": str(art.reference)}
    rounds = (
        ("import_release", {"zip": str(make_zip(root))}),
        ("set_up", {**art_files, "seconds": SETUP_S}),
    )
    seen: list[Evidence] = []
    try:
        for scenario, given in rounds:
            out = root / "out" / scenario
            try:
                seen.append(play(command(krita), scenario, where, out, run, given, pip_settings(), SETUP_S + 600))
            finally:
                keep(out, ARTIFACTS / krita.folder / scenario)
        yield NewPainter(*seen, home)
    finally:
        backend.end(home)
        end_marked(run)


def test_kritas_own_importer_takes_the_zip(new_painter: NewPainter) -> None:
    assert "Linewash" in new_painter.imported["question"]
    assert new_painter.imported["enabled"] == "true"


def test_the_page_says_what_comes_before_anything_is_downloaded(new_painter: NewPainter) -> None:
    page = new_painter.used["page"]
    assert page["setupTitle"] == "Set up Linewash"
    assert "GB are free" in page["setupText"]


def test_one_click_sets_the_backend_up_and_it_colors_without_a_restart(new_painter: NewPainter) -> None:
    assert new_painter.used["layers"] == ["Background", "Foreground"]
    record = json.loads((new_painter.home / "program" / "installation.json").read_text())
    assert Path(record["python"]).is_file()


def test_the_docker_keeps_the_window_busy_for_no_tenth_of_a_second(new_painter: NewPainter) -> None:
    """Judged by the window's own processor time: unpacking gigabytes beside it keeps disk and cores from every program."""
    gaps = new_painter.used["stall"]["gaps"]
    assert not [gap for gap in gaps if gap["cpu"] > 0.100], gaps
