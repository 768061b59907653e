"""The worker's threads: as many as were asked for, and none that spins while another program wants its core."""

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import os
from backend.server.worker.process import limit_threads
limit_threads(1)
import torch
print(torch.get_num_threads(), os.environ["OMP_WAIT_POLICY"])
"""


def thread_settings(project: Path, **variables: str) -> list[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OMP_")}
    command = [sys.executable, "-c", PROGRAM]
    return subprocess.check_output(command, cwd=project, env={**environment, **variables}, text=True).split()


def test_threads_are_limited_and_sleep_while_they_wait(project: Path) -> None:
    assert thread_settings(project, OMP_NUM_THREADS="2") == ["1", "PASSIVE"]


def test_a_wait_policy_of_the_user_is_respected(project: Path) -> None:
    assert thread_settings(project, OMP_WAIT_POLICY="ACTIVE") == ["1", "ACTIVE"]
