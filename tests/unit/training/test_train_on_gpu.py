"""``scripts/train_on_gpu.sh`` from drawing to a packed result, and the packages it carries to a machine without network."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from backend.families.registry import load
from backend.training.offline_packages import REQUIRED_MODULES, find_missing, pack, unpack

BUDGET = 64_000_000


def run_script(project: Path, out: Path, minutes: str, *parts: str, **more: str) -> "subprocess.CompletedProcess[str]":
    settings = {"PYTHON": sys.executable, "DEVICE": "cpu", "BATCH": "2", "WORK": str(out.with_name("work")), **more}
    command = [str(project / "scripts" / "train_on_gpu.sh"), str(out), minutes, *parts]
    return subprocess.run(command, cwd=out.parent, env={**os.environ, **settings}, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_one_command_draws_trains_evaluates_and_packs(project: Path, shard: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = run_script(project, out, "0.03", "foreground", SETS="6", DRAWING_MINUTES="10", PAIRS=str(shard), LIMIT="1")
    assert done.returncode == 0, done.stdout + done.stderr
    files = {path.name: path.stat().st_size for path in out.iterdir()}
    assert {"train.log", "evaluation.txt", "result.tar.00"} <= set(files) and len(files) <= 8
    assert sum(files.values()) < BUDGET and max(files.values()) <= 16_000_000
    assert (out / "evaluation.txt").read_text().strip()
    pieces = b"".join(path.read_bytes() for path in sorted(out.glob("result.tar.*")))
    unpacked = tmp_path / "unpacked"
    unpacked.mkdir()
    subprocess.run(["tar", "x", "-C", str(unpacked)], input=pieces, check=True)
    (unpacked / "model").rename(unpacked / "mini")
    assert load("mini", unpacked).spec.name == "mini"
    shipped = project / "backend" / "data" / "mini"
    assert (unpacked / "mini" / "foreground.safetensors").read_bytes() != (shipped / "foreground.safetensors").read_bytes()
    assert (unpacked / "checkpoints" / "foreground" / "model.safetensors").exists()
    # elsewhere: no drawings, no checkpoint, only what came back
    shutil.rmtree(tmp_path / "work" / "foreground")
    cache = str(tmp_path / "work" / "cache")
    again = run_script(project, out.with_name("again"), "0.01", "foreground", FROM=str(out), CACHE=cache, LIMIT="0")
    assert again.returncode == 0, again.stdout + again.stderr
    first, second = (last_step(folder / "train.log") for folder in (out, out.with_name("again")))
    assert second > first > 0


def last_step(log: Path) -> int:
    lines = [line for line in log.read_text().splitlines() if line.startswith("step ")]
    return int(lines[-1].split()[1])


def test_a_missing_dependency_is_named(project: Path, tmp_path: Path) -> None:
    bare = tmp_path / "python"  # a Python that finds no installed package
    bare.write_text(f'#!/bin/sh\nPYTHONPATH="$PYTHONPATH" exec "{sys.executable}" -S "$@"\n')
    bare.chmod(0o755)
    done = run_script(project, tmp_path / "out", "1", PYTHON=str(bare))
    assert done.returncode == 3
    assert "missing here: torch, numpy" in done.stdout and "pack_for_gpu.sh" in done.stdout


def test_called_wrongly_it_says_how(project: Path) -> None:
    done = subprocess.run([str(project / "scripts" / "train_on_gpu.sh")], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "MINUTES" in done.stderr


def wheel(folder: Path, name: str, **files: str) -> None:
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)


def test_packages_travel_in_pieces(tmp_path: Path) -> None:
    wheels, packed, site = tmp_path / "wheels", tmp_path / "pack", tmp_path / "site"
    wheels.mkdir()
    wheel(wheels, "linewash_probe", **{"linewash_probe/__init__.py": "x = 1\n", "linewash_probe/tests/test.py": ""})
    wheel(wheels, "numpy", **{"numpy/__init__.py": ""})
    assert pack(wheels, packed, 100) > 2
    assert all((piece / "piece").stat().st_size <= 100 for piece in packed.iterdir())
    folders = unpack(packed, site)
    assert folders == [site / "linewash-probe"]  # numpy is here already, and stays what it is
    assert [path.name for path in (site / "linewash-probe").rglob("*.py")] == ["__init__.py"]
    (packed / "01" / "piece").write_bytes(b"something else")
    with pytest.raises(ValueError, match="damaged"):
        unpack(packed, site)
    shutil.rmtree(packed / "01")
    with pytest.raises(FileNotFoundError, match="01"):
        unpack(packed, site)
    with pytest.raises(FileNotFoundError, match="holds no packed"):
        unpack(tmp_path / "nothing", site)


def test_what_training_needs_is_all_here_and_asked_for(project: Path) -> None:
    assert find_missing() == []
    asked = (project / "pyproject.toml").read_text(encoding="utf-8")
    assert all(f'"{package}>=' in asked for package in REQUIRED_MODULES.values())
