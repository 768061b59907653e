"""``scripts/train_faces.sh`` from drawing to metrics of both phases and their control."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from backend.evaluation.animediffusion.faces import CROSS, MEAN_COLOR, MODEL, REFERENCE, SAME


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_both_phases_and_the_control_are_measured(project: Path, tmp_path: Path) -> None:
    asked = {"MINUTES": "0.02", "SIDE": "16", "BATCH": "1", "FACES": "3", "TEST_FACES": "2", "PYTHON": sys.executable}
    command = [str(project / "scripts" / "train_faces.sh"), str(tmp_path)]
    done = subprocess.run(command, env={**os.environ, **asked}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 faces drawn" in done.stdout and "2 faces drawn" in done.stdout
    for name in ("phase1", "phase2", "control"):
        rows = json.loads((tmp_path / f"metrics-{name}" / "metrics.json").read_text())
        expected = [
            (SAME, MODEL),
            (CROSS, MODEL),
            *((protocol, by) for protocol in (SAME, CROSS) for by in (REFERENCE, MEAN_COLOR)),
        ]
        assert [(row["protocol"], row["method"]) for row in rows] == expected and all(row["images"] == 2 for row in rows)
        assert len(list((tmp_path / f"metrics-{name}" / "same").glob("*.png"))) == 2
    weights = {name: (tmp_path / f"{name}.safetensors").read_bytes() for name in ("phase1", "phase2", "control")}
    assert len(set(weights.values())) == 3
