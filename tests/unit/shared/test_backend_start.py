"""Starting a backend and waiting for it, without a real one."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from shared.backend_start import start_backend, wait_for_backend
from shared.errors import ErrorCode, LinewashError


class Process:
    """A process that has ended, or not."""

    def __init__(self, code: "int | None") -> None:
        self.code = code

    def poll(self) -> "int | None":
        return self.code


def test_the_command_serves_the_home_and_writes_to_the_start_log(tmp_path: Path) -> None:
    calls: list[Any] = []

    def spawn(command: list[str], **options: Any) -> Process:
        options["stdout"].write(b"hello")
        calls.append((command, options["cwd"], options["env"]))
        return Process(None)

    start_backend("python", tmp_path, tmp_path / "home", spawn, env={"A": "b"})
    assert calls == [(["python", "-m", "backend", "serve", "--home", str(tmp_path / "home")], str(tmp_path), {"A": "b"})]
    assert (tmp_path / "home" / "logs" / "start.log").read_bytes() == b"hello"


def test_a_program_that_is_missing_is_a_backend_that_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(LinewashError) as caught:
        start_backend(str(tmp_path / "nothing"), tmp_path, tmp_path / "home", subprocess.Popen)
    assert caught.value.code is ErrorCode.BACKEND_START


def test_another_backend_may_answer_after_the_started_one_has_ended(tmp_path: Path) -> None:
    answers = iter((None, None, "another"))
    assert wait_for_backend(tmp_path, Process(1), lambda: next(answers)) == "another"


def test_a_cancelled_wait_ends_with_what_the_backend_printed(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "start.log"
    log.parent.mkdir()
    log.write_text("it is broken\n")
    with pytest.raises(LinewashError) as caught:
        wait_for_backend(tmp_path, Process(None), lambda: None, lambda: True)
    assert caught.value.code is ErrorCode.BACKEND_START and caught.value.detail == "it is broken"
