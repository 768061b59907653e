"""The plugin as a whole: it runs on PyQt6, only two files know Krita and Qt, and it stays within Python 3.8."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from installer.krita.plugin import copy_sources

SCRIPT = """
import sys
sys.path[:0] = [{project!r}, {folder!r}]
from tests.unit.plugin import fake_krita
sys.modules["krita"] = fake_krita
from PyQt6.QtWidgets import QApplication, QWidget
application = QApplication(["krita"])
import linewash
(factory,) = fake_krita.Krita.instance().dockers
assert factory.name == "linewash"
docker = factory.create()
docker.show()
for name in "lines reference referenceAdd foreground finish color cancel progress status".split():
    assert docker.findChild(QWidget, name) is not None, name
docker.findChild(QWidget, "color").click()
print(docker.findChild(QWidget, "status").text())
assert not [name for name in sys.modules if name.startswith("PyQt5")]
application.aboutToQuit.emit()
"""


def sources(project: Path) -> list[Path]:
    return sorted((project / "krita_plugin").rglob("*.py"))


def imported(path: Path) -> set[str]:
    modules: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            modules.add(node.module.split(".")[0])
    return modules


def test_it_runs_under_pyqt6_in_a_fresh_python(tmp_path: Path, project: Path) -> None:
    copy_sources(tmp_path / "linewash")
    script = SCRIPT.format(project=str(project), folder=str(tmp_path))
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONWARNINGS": "error"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "No document is open. Open a line drawing first."


def test_only_host_knows_krita_and_only_qt_knows_pyqt(project: Path) -> None:
    files = sources(project)
    assert [path.name for path in files if "krita" in imported(path)] == ["libkis.py"]
    assert {path.name for path in files if imported(path) & {"PyQt5", "PyQt6"}} == {"qt.py"}


def test_nothing_but_the_standard_library_qt_and_what_is_vendored(project: Path) -> None:
    used = set().union(*(imported(path) for path in sources(project)))
    standard = {
        "abc",
        "collections",
        "configparser",
        "dataclasses",
        "functools",
        "enum",
        "hashlib",
        "html",
        "json",
        "logging",
        "os",
        "pathlib",
        "platform",
        "re",
        "secrets",
        "shutil",
        "subprocess",
        "sys",
        "threading",
        "time",
        "types",
        "urllib",
        "zipfile",
    }
    assert used <= standard | {"typing", "uuid", "requests", "krita", "PyQt5", "PyQt6"}


@pytest.mark.parametrize("name", ["linewash/__init__.py"])
def test_the_package_only_registers(project: Path, name: str) -> None:
    tree = ast.parse((project / "krita_plugin" / name).read_text(encoding="utf-8"))
    assert not [node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]


def test_every_file_is_python_3_8(project: Path) -> None:
    for path in sources(project):
        ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))
