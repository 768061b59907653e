"""Progress is said in a terminal, a pipe and a file."""

import io
import os
import signal
import time
from pathlib import Path

import pytest

from installer.cli import build_parser, report_of
from installer.messages import SetupPaused
from installer.progress import PIPE_PERIOD_S, ProgressReport, describe
from shared.setup_progress import SetupPhase, SetupState, SetupTask, read_progress, stop_file


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def downloaded(output: io.StringIO, seconds: int) -> ProgressReport:
    """A download of 100 MB at 1 MB/s, so far."""
    clock = Clock()
    report = ProgressReport(None, output, clock)
    report.begin(SetupPhase.DOWNLOAD, "Downloading 3 packages ...", 100_000_000)
    for second in range(1, seconds + 1):
        clock.now_s = float(second)
        report.advance(second * 1_000_000, "torch")
    return report


def test_a_terminal_has_one_line_that_changes() -> None:
    output = Terminal()
    report = downloaded(output, 10)
    assert output.getvalue().count("\n") == 1
    assert output.getvalue().split("\r")[-1].strip() == "Downloading torch …  10 MB of 100 MB (10%), 1 MB/s, 90 s left"
    report.begin(SetupPhase.INSTALL, "Unpacking ...")
    assert output.getvalue().endswith("left\nUnpacking ...\n")


def test_a_pipe_has_few_lines() -> None:
    output = io.StringIO()
    downloaded(output, 60)
    lines = output.getvalue().splitlines()
    assert len(lines) == 1 + int(60 // PIPE_PERIOD_S)
    assert lines[-1].strip() == "Downloading torch …  60 MB of 100 MB (60%), 1 MB/s, 40 s left"


def test_an_unknown_size_makes_no_claim() -> None:
    report = ProgressReport(None, io.StringIO())
    report.begin(SetupPhase.RESOLVE, "Finding out ...")
    assert describe(report.now) == "Finding out ..."


def test_the_file_is_written_and_ends_with_the_outcome(tmp_path: Path) -> None:
    path = tmp_path / "setup" / "progress.json"
    report = ProgressReport(path, io.StringIO())
    with report.watch():
        report.begin(SetupPhase.DOWNLOAD, "Downloading ...", 1000)
        found = read_progress(path)
        assert found is not None and (found.state, found.total_bytes, found.pid) == (SetupState.RUNNING, 1000, os.getpid())
    report.finish(SetupState.FAILED, "Stopped.", "The disk is full.", "Free some space.")
    found = read_progress(path)
    ended = ("The disk is full.", "Free some space.")
    assert found is not None and found.state == SetupState.FAILED and (found.error, found.hint) == ended


@pytest.mark.parametrize("way", ["signal", "file"])
def test_a_wish_to_pause_is_followed(tmp_path: Path, way: str) -> None:
    path = tmp_path / "progress.json"
    with pytest.raises(SetupPaused), ProgressReport(path, io.StringIO()).watch():
        os.kill(os.getpid(), signal.SIGTERM) if way == "signal" else stop_file(path).touch()
        time.sleep(5)


def test_a_wish_from_before_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "progress.json"
    stop_file(path).touch()
    with ProgressReport(path, io.StringIO()).watch():
        time.sleep(0.6)
    assert not stop_file(path).exists()


@pytest.mark.parametrize(
    ("command", "task"), [("install", SetupTask.INSTALL), ("repair", SetupTask.REPAIR), ("uninstall", SetupTask.REMOVE)]
)
def test_the_file_names_the_task(tmp_path: Path, command: str, task: SetupTask) -> None:
    path = tmp_path / "progress.json"
    report = report_of(build_parser().parse_args([command, "--device", "cpu", "--progress-file", str(path)]))
    report.begin(SetupPhase.CHECK, "Checking ...")
    report.finish(SetupState.PAUSED, "Paused.")
    found = read_progress(path)
    assert found is not None and (found.task, found.wanted_device) == (task, "cpu")
