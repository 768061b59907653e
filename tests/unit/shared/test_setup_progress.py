"""What the installer writes, the docker reads, and notices when nobody writes any more."""

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from shared.setup_progress import (
    SILENCE_S,
    SetupPhase,
    SetupProgress,
    SetupState,
    SetupTask,
    clear_progress,
    read_progress,
    stop_file,
    write_progress,
)

PROGRESS = SetupProgress(
    SetupPhase.DOWNLOAD, SetupState.RUNNING, "Downloading torch …", os.getpid(), time.time(), 250, 1000, 50.0, 3000, 9000, "cpu"
)


def test_it_survives_the_file(tmp_path: Path) -> None:
    progress = replace(PROGRESS, time_s=time.time())  # an old one would be read as cut off
    write_progress(tmp_path / "p.json", progress)
    assert read_progress(tmp_path / "p.json") == progress
    assert [path.name for path in tmp_path.iterdir()] == ["p.json"]


def test_shares_and_times() -> None:
    assert (PROGRESS.fraction, PROGRESS.seconds_left) == (0.25, 15.0)
    unknown = replace(PROGRESS, total_bytes=0)
    assert (unknown.fraction, unknown.seconds_left) == (None, None)
    assert replace(PROGRESS, bytes_per_second=0.0).seconds_left is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"phase": "download"}', "null"])
def test_a_damaged_file_says_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "p.json").write_text(text)
    assert read_progress(tmp_path / "p.json") is None
    assert read_progress(tmp_path / "nothing") is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("phase", "dance"),
        ("state", 1),
        ("pid", "1"),
        ("done_bytes", 1.5),
        ("total_bytes", -1),
        ("time_s", None),
        ("error", None),
        ("task", "dance"),
        ("wanted_device", 1),
    ],
)
def test_a_field_of_another_kind_is_refused(name: str, value: object) -> None:
    assert SetupProgress.from_json({**PROGRESS.to_json(), "later": 1}) == PROGRESS
    with pytest.raises(ValueError):
        SetupProgress.from_json({**PROGRESS.to_json(), name: value})


@pytest.mark.parametrize(("phase", "task"), [(SetupPhase.DOWNLOAD, SetupTask.INSTALL), (SetupPhase.REMOVE, SetupTask.REMOVE)])
def test_an_older_installer_named_no_task(phase: SetupPhase, task: SetupTask) -> None:
    data = replace(PROGRESS, phase=phase, task=SetupTask.REPAIR).to_json()
    assert SetupProgress.from_json(data).task is SetupTask.REPAIR
    del data["task"], data["wanted_device"]
    assert SetupProgress.from_json(data).task is task


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError):
        SetupProgress.from_json(json.loads(json.dumps({**PROGRESS.to_json(), "bytes_per_second": float("nan")})))


def test_an_installer_that_is_gone_is_interrupted(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for state in SetupState:
        if state != SetupState.INTERRUPTED:
            write_progress(tmp_path / "p.json", replace(PROGRESS, pid=ended.pid, state=state))
            found = read_progress(tmp_path / "p.json")
            assert found is not None
            assert found.state == (SetupState.INTERRUPTED if state == SetupState.RUNNING else state)


def test_another_program_with_its_number_is_not_the_installer(tmp_path: Path) -> None:
    write_progress(tmp_path / "p.json", PROGRESS)
    found = read_progress(tmp_path / "p.json", now_s=PROGRESS.time_s + SILENCE_S + 1)
    assert found is not None and found.state == SetupState.INTERRUPTED


def test_clearing_takes_the_wish_to_pause_along(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    write_progress(path, PROGRESS)
    stop_file(path).touch()
    clear_progress(path)
    clear_progress(path)
    assert list(tmp_path.iterdir()) == []
