"""A worker keeps its own model and, of those that were added, the one used last, as long as their files stay the same."""

import weakref
from pathlib import Path
from typing import Any

import pytest

from backend.server.worker.inference import InferenceRunner
from backend.server.worker.messages import Event, JobDone, JobFailed, RunJob
from shared.devices.device_status import NumberFormat
from shared.errors import ErrorCode
from tests.api import fakes, images

Loaded = list[tuple[str, "weakref.ref[Any]"]]


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> Loaded:
    """Every model that was loaded, in order; nothing of it when it is gone."""
    watched: Loaded = []
    load = fakes.load

    def watching(name: str, models_dir: Path, device: str, number_format: NumberFormat) -> Any:
        family = load(name, models_dir, device, number_format)
        watched.append((name, weakref.ref(family)))
        return family

    monkeypatch.setattr(fakes, "load", watching)
    return watched


def colored(coloring: InferenceRunner, name: str, folder: Path) -> Event:
    """How a drawing with that model ends; ``folder`` is the job's."""
    wanted = images.request(name, steps=1)
    (folder / "inputs").mkdir(parents=True)
    for part, content in images.parts(wanted).items():
        (folder / "inputs" / (part + ".png")).write_bytes(content)
    for file in ("request.json", "state.json"):  # the server's, which lie there already
        (folder / file).touch()
    return coloring.run(RunJob(folder.name, folder, wanted), lambda job: False)


def test_the_model_before_goes_when_another_comes(loaded: Loaded, tmp_path: Path) -> None:
    coloring = InferenceRunner("tests.api.fakes", tmp_path, 1, NumberFormat.AUTOMATIC, lambda event: None)
    assert coloring.preload("fake") == ""
    for name in ("slow", "moody"):
        assert colored(coloring, name, tmp_path / name) == JobDone(name)
    assert {name: family() is not None for name, family in loaded} == {"fake": True, "slow": False, "moody": True}


@pytest.mark.parametrize("preloaded", ["fake", "dropped"])
def test_a_model_is_read_anew_when_its_file_or_description_has_changed(loaded: Loaded, tmp_path: Path, preloaded: str) -> None:
    file = tmp_path / "models" / "dropped.fake"
    file.parent.mkdir()
    file.write_bytes(b"old")
    coloring = InferenceRunner("tests.api.fakes", file.parent, 1, NumberFormat.AUTOMATIC, lambda event: None)
    assert coloring.preload(preloaded) == ""
    for job in ("first", "same", "replaced", "again", "described"):
        if job == "replaced":
            file.write_bytes(b"newer")
        if job == "described":
            file.with_suffix(".json").write_text("{}", encoding="utf-8")
        assert colored(coloring, "dropped", tmp_path / job) == JobDone(job)
    there = [family() is not None for name, family in loaded if name == "dropped"]
    assert there == [False, False, True]
    file.unlink()
    ended = colored(coloring, "dropped", tmp_path / "gone")
    assert isinstance(ended, JobFailed) and ended.code is ErrorCode.UNKNOWN_MODEL
    assert colored(coloring, "fake", tmp_path / "other") == JobDone("other")
    assert [name for name, family in loaded if family() is not None] == ["fake"]
