"""What was drawn from is on record, and nobody mixes two records."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from backend.training.synthetic.cli import app
from backend.training.synthetic.digests import list_digest, record_sources, source_digests
from backend.training.synthetic.mixture import ArtFolders


def test_held_out_art_is_not_listed(models: Path, panels: Path) -> None:
    digests = source_digests(ArtFolders(models, panels))
    assert set(digests) == {"Hero.glb", "Other.glb", "panels, 3 files"}
    assert digests["Hero.glb"] == hashlib.sha256((models / "Hero.glb").read_bytes()).hexdigest()
    assert source_digests(ArtFolders()) == {}


def test_a_list_is_digested_as_sha256sum_prints_it(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_bytes(b"")
    (tmp_path / "B").write_bytes(b"abc")
    lines = (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  B\n"
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a/x\n"
    )
    expected = hashlib.sha256(lines.encode()).hexdigest()
    assert list_digest([tmp_path / "a" / "x", tmp_path / "B"], tmp_path) == expected


def test_shards_of_other_art_are_refused(tmp_path: Path, models: Path, panels: Path) -> None:
    out = tmp_path / "shards"
    record = record_sources(out, ArtFolders(models, panels))
    assert json.loads(record.read_text()) == source_digests(ArtFolders(models, panels))
    record_sources(out, ArtFolders(models, panels))
    with pytest.raises(ValueError, match="other art"):
        record_sources(out, ArtFolders(models, None))
    changed = tmp_path / "models"
    shutil.copytree(models, changed)
    (changed / "Hero.glb").write_bytes((changed / "Other.glb").read_bytes())
    with pytest.raises(ValueError, match="other art"):
        record_sources(out, ArtFolders(changed, panels))


def test_command_line(models: Path) -> None:
    result = CliRunner().invoke(app, ["digests", "--models3d", str(models)])
    assert result.exit_code == 0
    assert [line.split("  ")[1] for line in result.output.splitlines()] == ["Hero.glb", "Other.glb"]
