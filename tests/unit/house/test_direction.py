"""Imports point one way, as docs/architecture.md draws it."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.house.imports import imports, lies_in
from tests.unit.house.rules import MAY_IMPORT, MAY_NOT_USE, WORKER

OWN = ("shared", "backend", "installer", "krita_plugin", "tests", "benchmarks", "install")


def dotted(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str | None:
    return max((room for room in MAY_IMPORT if lies_in(module, (room,))), key=len, default=None)


def breaches(path: Path, root: Path) -> list[str]:
    """What ``path`` imports although its room may not."""
    module = dotted(path, root)
    room = room_of(module)
    assert room is not None, f"{module} belongs to no room of rules.py"
    found: list[str] = []
    for line, target in imports(path, root):
        if lies_in(target, OWN) and not lies_in(target, MAY_IMPORT[room]):
            found.append(f"{module}:{line} imports {target}, and {room} may not")
        for place, libraries in MAY_NOT_USE.items():
            if module != WORKER and lies_in(module, (place,)) and lies_in(target, libraries):
                found.append(f"{module}:{line} imports {target}, and {place} does without")
    return found


def test_every_file_of_backend_shared_and_installer_keeps_the_direction(project: Path) -> None:
    files = [path for folder in ("shared", "backend", "installer") for path in sorted((project / folder).rglob("*.py"))]
    assert len(files) > 15
    assert not [breach for path in files for breach in breaches(path, project)]


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("backend/networks/unet.py", "from backend.imaging import ink"),
        ("backend/imaging/masks.py", "import torch"),
        ("backend/families/mini/family.py", "from backend.pipeline import run"),
        ("backend/pipeline/run.py", "from ..server import jobs"),
        ("backend/server/app.py", "import torch.nn"),
        ("backend/server/app.py", "from backend.pipeline import run"),
        ("backend/server/worker/inference.py", "from backend.training import trainer"),
        ("backend/server/app.py", "from backend.training import trainer"),
        ("backend/imaging/png.py", "from PyQt6 import QtGui"),
        ("shared/client.py", "from backend.server import app"),
    ],
)
def test_an_import_against_the_direction_is_found(tmp_path: Path, place: str, line: str) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    path.write_text(f"from shared import errors\n\n{line}\n" if "shared/" not in place else f"{line}\n")
    assert [found for found in breaches(path, tmp_path) if place[:-3].replace("/", ".") in found]


def test_the_plugin_imports_only_itself_qt_requests_and_the_standard_library(project: Path) -> None:
    plugin = project / "krita_plugin"
    for path in sorted(plugin.rglob("*.py")):
        for line, target in imports(path, plugin):
            where = f"{path.relative_to(project)}:{line} imports {target}"
            top = target.split(".")[0]
            if top == "krita":
                assert path.name == "libkis.py", f"{where}; only libkis.py knows krita"
            elif top in ("PyQt5", "PyQt6"):
                assert path.name == "qt.py", f"{where}; only qt.py knows which PyQt there is"
            else:
                assert top in ("linewash", "requests") or top in sys.stdlib_module_names, where
                assert top not in OWN, where


def test_shared_uses_relative_imports_requests_and_the_standard_library_alone(project: Path) -> None:
    for path in sorted((project / "shared").rglob("*.py")):
        for line, target in imports(path, project):
            top = target.split(".")[0]
            assert top in ("shared", "requests", "urllib3") or top in sys.stdlib_module_names, f"{path.name}:{line} {target}"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                assert node.module is None or node.module.split(".")[0] != "shared", f"{path.name}:{node.lineno}: not relative"


@pytest.mark.parametrize("folder", ["shared", "krita_plugin"])
def test_what_runs_inside_krita_parses_on_python_3_8(project: Path, folder: str) -> None:
    for path in sorted((project / folder).rglob("*.py")):
        ast.parse(path.read_text(encoding="utf-8"), str(path), feature_version=(3, 8))


def test_the_server_process_loads_no_torch(project: Path) -> None:
    names = sorted(dotted(path, project) for path in (project / "backend" / "server").rglob("*.py"))
    names.remove(WORKER)
    code = f"import {', '.join(names)}, sys; print(sorted({{'torch', 'diffusers', 'numba'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_imaging_loads_no_torch(project: Path) -> None:
    names = sorted(dotted(path, project) for path in (project / "backend" / "imaging").rglob("*.py"))
    code = f"import {', '.join(names)}, sys; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
