"""Shards are whole or absent, and a stopped rendering goes on where it was."""

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from backend.training.synthetic.cli import app
from backend.training.synthetic.mixture import ArtFolders, training_mixture
from backend.training.synthetic.shards import missing_shards, read_shard, render_shards, render_training, shard_path
from backend.training.synthetic.types import DrawingSet

SIZE = 64


class Stopping:
    """A source that is interrupted at one set."""

    name = "stopping"

    def __init__(self, inner: object, left: int) -> None:
        self.inner, self.left = inner, left

    def draw(self, rng: np.random.Generator, size: int) -> DrawingSet:
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1
        return self.inner.draw(rng, size)  # type: ignore[attr-defined]


@pytest.fixture
def source() -> Iterator[object]:
    yield training_mixture(ArtFolders(), SIZE)


def test_stopped_and_gone_on(tmp_path: Path, source: object) -> None:
    with pytest.raises(KeyboardInterrupt):
        list(render_shards([0, 1, 2], tmp_path, Stopping(source, 7), SIZE, 4, 10, 4))
    assert [p.name for p in tmp_path.iterdir()] == ["train_0004_0000.npz"]
    modified = shard_path(tmp_path, 4, 0).stat().st_mtime_ns
    assert missing_shards(tmp_path, 4, 10, 4) == [1, 2]
    paths = render_training(tmp_path, ArtFolders(), sets=10, size=SIZE, seed=4, workers=2, per_shard=4)
    assert [p.name for p in paths] == [f"train_0004_000{k}.npz" for k in range(3)]
    assert sorted(p.name for p in tmp_path.iterdir()) == [p.name for p in paths]
    assert shard_path(tmp_path, 4, 0).stat().st_mtime_ns == modified
    assert [len(read_shard(p)) for p in paths] == [4, 4, 2]


def test_shards_do_not_depend_on_how_they_were_rendered(tmp_path: Path, source: object) -> None:
    """One process or another order: the same sets."""
    list(render_shards([0, 1], tmp_path / "a", *_rest(source, tmp_path / "a")))
    list(render_shards([1, 0], tmp_path / "b", *_rest(source, tmp_path / "b")))
    for k in range(2):
        one, other = (read_shard(shard_path(tmp_path / d, 9, k)) for d in "ab")
        for x, y in zip(one, other, strict=True):
            for field in fields(x):
                assert np.array_equal(getattr(x, field.name), getattr(y, field.name)), field.name


def _rest(source: object, folder: Path) -> tuple[object, int, int, int, int]:
    folder.mkdir()
    return source, SIZE, 9, 6, 3


def test_command_line(tmp_path: Path) -> None:
    run = CliRunner()
    out = tmp_path / "shards"
    result = run.invoke(
        app, ["render", "--out", str(out), "--sets", "3", "--size", str(SIZE), "--per-shard", "2", "--no-held-out"]
    )
    assert result.exit_code == 0, result.output
    assert sorted(p.name for p in out.iterdir()) == ["sources.json", "train_0000_0000.npz", "train_0000_0001.npz"]
    with np.load(out / "train_0000_0000.npz", allow_pickle=False) as data:
        assert set(data.files) == {"line", "color", "mask", "ref", "refmask", "source"}
        assert data["color"].shape == (2, SIZE, SIZE, 3)
    sheet = tmp_path / "sheet.png"
    result = run.invoke(app, ["sheet", str(out / "train_0000_0000.npz"), str(sheet), "--columns", "1", "--cell", "40"])
    assert result.exit_code == 0, result.output
    assert sheet.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_a_failed_process_is_reported(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="continue where it stopped"):
        render_training(tmp_path, ArtFolders(models3d=tmp_path / "absent", panels=tmp_path / "absent"), sets=1, size=SIZE)
