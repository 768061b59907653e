"""Runs a training command alone and in two processes, and compares what they have learned."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

from backend.training.cli import app


def check_two_processes_agree_with_one(options: Callable[[Path], Sequence[str]], project: Path, folder: Path) -> None:
    """``options`` are those of a training command whose run lies in the folder given to it."""
    alone = CliRunner().invoke(app, [*options(folder / "one"), "--batches-per-step", "2"])
    assert alone.exit_code == 0, alone.output
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += ["-m", "--", "backend.training.cli", *options(folder / "two")]
    done = subprocess.run(command, cwd=project, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    one, two = (load_file(folder / run / "checkpoint" / "model.safetensors") for run in ("one", "two"))
    assert one.keys() == two.keys()
    for name, weight in one.items():
        torch.testing.assert_close(two[name], weight, atol=2e-6, rtol=1e-4)
    assert len(list((folder / "two" / "checkpoint").glob("random_states_*.pkl"))) == 2  # there were two
    header, *_ = (folder / "one" / "log.csv").read_text().splitlines()
    assert (folder / "two" / "log.csv").read_text().splitlines()[0] == header
