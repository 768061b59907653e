"""Nothing that measures the model was learned from: no image, no character, no episode."""

import hashlib
import re
from pathlib import Path

import pytest

from backend.training.synthetic.holdout import HeldOutData, held_out_data
from backend.training.synthetic.scenes.panels import HELD_OUT_EPISODES, panel_files

LINE = re.compile(r"(#pixels )?([0-9a-f]{64})  (\S+)")
PANEL = re.compile(r"(E\d\d)P\d\d_\d\d\.webp")


@pytest.fixture(scope="module")
def lines(project: Path) -> list[tuple[bool, str, str]]:
    """(whether of pixels, digest, name) of everything mini was trained on."""
    text = (project / "backend/data/mini/training_data.sha256").read_text(encoding="utf-8")
    found = [LINE.fullmatch(line) for line in text.splitlines() if not line.startswith("# ")]
    assert all(found)
    return [(match[1] is not None, match[2], match[3]) for match in found if match]


def test_no_file_and_no_image_is_in_both(lines: list[tuple[bool, str, str]]) -> None:
    known = held_out_data()
    files = {digest for pixels, digest, _ in lines if not pixels}
    images = {digest for pixels, digest, _ in lines if pixels}
    assert len(known.files) == len(known.pixels) == 65  # references are other pairs' colors
    assert len(files) == 380 and len(images) == 375
    assert not files & known.files and not images & known.pixels


def test_no_character_and_no_episode_is_in_both(lines: list[tuple[bool, str, str]]) -> None:
    names = [name for _, _, name in lines]
    measured = {match[1] for name in held_out_data().sets for match in re.finditer(r"(E\d\d)P\d\d", name)}
    assert measured == {"E21"} and measured <= set(HELD_OUT_EPISODES)
    trained = {match[1] for name in names if (match := PANEL.fullmatch(name))}
    assert len(trained) == 18 and not trained & set(HELD_OUT_EPISODES)
    characters = {re.split(r"[- ]", name)[1].lower() for name in held_out_data().sets if "E21" not in name}
    assert {"sylvie", "eileen", "lucy", "augustina"} <= characters
    assert not [name for name in names if any(word in name.lower() for word in characters)]


def test_the_record_is_the_one_attribution_cites(project: Path, lines: list[tuple[bool, str, str]]) -> None:
    text = (project / "ATTRIBUTION.md").read_text(encoding="utf-8")
    files = [(digest, name) for pixels, digest, name in lines if not pixels]
    panels = "".join(f"{digest}  {name}\n" for digest, name in files if PANEL.fullmatch(name))
    assert hashlib.sha256(panels.encode()).hexdigest() in text
    for digest, name in files:
        if name.endswith(".glb"):
            assert re.search(rf"{re.escape(name)}.*{digest}", text), name


def test_an_image_of_the_development_set_is_refused_under_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, content in (("E01P01_00.png", b"mine"), ("E01P01_01.png", b"theirs"), ("E21P01_00.png", b"page")):
        (tmp_path / name).write_bytes(content)
    assert [f.name for f in panel_files(tmp_path, held_out=False)] == ["E01P01_00.png", "E01P01_01.png"]
    digest = hashlib.sha256(b"theirs").hexdigest()
    known = HeldOutData((), frozenset((digest,)), frozenset())
    monkeypatch.setattr("backend.training.synthetic.scenes.panels.held_out_data", lambda: known)
    assert [f.name for f in panel_files(tmp_path, held_out=False)] == ["E01P01_00.png"]
    assert [f.name for f in panel_files(tmp_path, held_out=True)] == ["E21P01_00.png"]
