"""Tests that leave processes behind are found: this looks at the look itself."""

import os
import subprocess
import sys
from pathlib import Path

from tests.leftover_processes import end_leftovers, find_python_processes

WAIT = "import sys; sys.stdin.read()"


def test_what_works_in_a_folder_is_found_ended_and_named(tmp_path: Path) -> None:
    folder, other = tmp_path / "run-3", tmp_path / "run-31"
    started = [
        subprocess.Popen([sys.executable, "-c", WAIT, *words], stdin=subprocess.PIPE, env={**os.environ, **more})
        for words, more in (
            (["serve", "--home", str(folder / "home")], {}),
            (["worker"], {"LINEWASH_HOME": str(folder / "home")}),
            (["serve", "--home", str(other / "home")], {}),
        )
    ]
    try:
        assert set(find_python_processes(folder)) == {started[0].pid, started[1].pid}
        left = end_leftovers(folder, wait_s=0)
        assert len(left) == 2 and left[0].endswith(f"serve --home {folder}/home") and left[1].endswith(" worker")
        assert [process.wait(10) for process in started[:2]] == [-9, -9]
        assert started[2].poll() is None
    finally:
        for process in started:
            process.kill()
            process.communicate()


def test_one_that_is_just_ending_is_waited_for(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(0.5)", f"{tmp_path}/home"])
    assert end_leftovers(tmp_path) == []
    assert process.wait(10) == 0
