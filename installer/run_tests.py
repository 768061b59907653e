"""``install.py test``: runs all checks and tests of the project."""

import shutil
from pathlib import Path
from xml.etree import ElementTree

from .checkout import PROJECT
from .krita.plugin import NAME, SOURCE, copy_sources
from .messages import info
from .steps import prepare_backend
from .subprocesses import run

EXTRAS = ("backend", "train", "dev")
KRITA_TESTS = "tests.krita"
PYRIGHT_CONFIG = "pyrightconfig.json"


def skipped_krita_tests(report: Path) -> str:
    """A sentence about the real-Krita tests that pytest's JUnit ``report`` says did not run; '' when all of them ran."""
    cases = [case for case in ElementTree.parse(report).iter("testcase") if case.get("classname", "").startswith(KRITA_TESTS)]
    skipped = [case.get("name", "") for case in cases if case.find("skipped") is not None]
    if not cases:
        return "No test ran in the real Krita."
    return f"Of {len(cases)} tests in the real Krita these were skipped: {', '.join(skipped)}." if skipped else ""


def prepare_plugin_check() -> Path:
    """Assemble the plugin as Krita sees it, with its own copy of ``shared``, in ``build/typecheck``; return that folder.

    Pyright's configuration for this folder is ``krita_plugin/pyrightconfig.json``.
    """
    folder = PROJECT / "build" / "typecheck"
    shutil.rmtree(folder, ignore_errors=True)
    copy_sources(folder / NAME)
    shutil.copy(SOURCE / PYRIGHT_CONFIG, folder)
    shutil.copytree(PROJECT / "typings", folder / "typings")
    return folder


def run_tests(require_krita: bool) -> int:
    """Run ruff, pyright and pytest; 0 when all pass and, with ``require_krita``, no real-Krita test was skipped; else 1."""
    python, _ = prepare_backend(EXTRAS)
    report = PROJECT / "artifacts" / "junit.xml"
    report.parent.mkdir(exist_ok=True)
    report.unlink(missing_ok=True)
    programs = python.parent
    steps = {
        "ruff": [programs / "ruff", "check", "."],
        "pyright": [programs / "pyright", "--pythonpath", python],
        "pyright of the plugin": [programs / "pyright", "--pythonpath", python, "--project", prepare_plugin_check()],
        "pytest": [python, "-m", "pytest", f"--junit-xml={report}"],
    }
    variables = {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1", "LINEWASH_REQUIRE_KRITA": "1" if require_krita else "0"}
    failed: list[str] = []
    for name, command in steps.items():
        info(f"\n== {name}")
        if run(command, cwd=PROJECT, extra=variables) != 0:
            failed.append(name)
    if require_krita and report.is_file() and (sentence := skipped_krita_tests(report)):
        info(f"\n{sentence}")
        failed.append("the real Krita")
    if failed:
        info(f"\nFailed: {', '.join(failed)}.")
    return 1 if failed else 0
