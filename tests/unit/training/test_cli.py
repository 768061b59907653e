"""``linewash train``: drawings and help do without the packages that training needs."""

import subprocess
import sys
from pathlib import Path

import pytest

WITHOUT_TRAINING_PACKAGES = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("accelerate", "diffusers", "tensorboard"):
            raise ImportError(name)

sys.meta_path.insert(0, Blocked())
from backend.training.cli import app

app(sys.argv[1:])
"""


@pytest.mark.parametrize("command", ["drawings", "flats", "v15", "anime2", "publish", "export"])
def test_help_needs_no_package_for_training(command: str, project: Path) -> None:
    arguments = [sys.executable, "-c", WITHOUT_TRAINING_PACKAGES, command, "--help"]
    done = subprocess.run(arguments, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "Usage:" in done.stdout, done.stderr
