"""``install.py test``: runs all checks and tests of the project."""

import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .checkout import PROJECT
from .krita.plugin import NAME, SOURCE, copy_sources
from .messages import info
from .progress import ProgressReport
from .steps import Wish, prepare_backend
from .subprocesses import run
from .testing.kritas import INSTALLED, OTHERS, Unpacking, unpack
from .testing.logged_process import LoggedProcess
from .testing.reports import missing_kritas, skipped_krita_tests, table

EXTRAS = ("backend", "train", "dev")
ARTIFACTS = PROJECT / "artifacts"
KRITA = "tests/krita"
PYRIGHT_CONFIG = "pyrightconfig.json"


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


def run_tests(require_krita: bool, every_krita: bool) -> int:
    """Run ruff, pyright and pytest; 0 when all pass, else 1.

    require_krita: a skipped test in the real Krita is a failure.  every_krita: the installed Krita must be 5.1 (else that is
    unpacked), and the core of its tests also runs in 5.2, 5.3 and 6.0; implies require_krita.
    """
    python, _ = prepare_backend(Wish(EXTRAS), ProgressReport())
    ARTIFACTS.mkdir(exist_ok=True)
    programs = python.parent
    checks = {
        "ruff": [programs / "ruff", "check", "."],
        "pyright": [programs / "pyright", "--pythonpath", python],
        "pyright of the plugin": [programs / "pyright", "--pythonpath", python, "--project", prepare_plugin_check()],
    }
    failed: list[str] = []
    for name, command in checks.items():
        info(f"\n== {name}")
        if run(command, cwd=PROJECT) != 0:
            failed.append(name)
    required = require_krita or every_krita
    with PytestRuns(python, {"LINEWASH_REQUIRE_KRITA": "1" if required else "0"}) as runs:
        if required or shutil.which("krita"):
            failed += run_beside_krita(runs, every_krita)
        else:
            failed += runs.finish(runs.start("pytest"))
        reports = runs.reports()
        if required and (sentence := skipped_krita_tests(reports)):
            info(f"\n{sentence}")
            failed.append("the real Krita")
        for line in (*runs.notes, *table(reports), *runs.counts()):
            info(line)
    if failed:
        info(f"\nFailed: {', '.join(failed)}.")
    return 1 if failed else 0


class PytestRuns:
    """Runs of pytest, some at the same time; each with a log and a JUnit report in ``artifacts``."""

    def __init__(self, python: Path, variables: Mapping[str, str]) -> None:
        self.notes: list[str] = []
        self._python = python
        self._variables = {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1", **variables}
        self._started: dict[str, LoggedProcess] = {}

    def __enter__(self) -> "PytestRuns":
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._started.values():
            process.stop()

    def start(self, name: str, *arguments: str, shown: bool = True) -> str:
        """Begin one run; returns its name."""
        report = ARTIFACTS / f"{name}.xml"
        report.unlink(missing_ok=True)
        command = [self._python, "-m", "pytest", f"--junit-xml={report}", *arguments]
        if shown:
            info(f"\n== {name}")
        self._started[name] = LoggedProcess(command, PROJECT, self._variables, ARTIFACTS / f"{name}.log", shown)
        return name

    def finish(self, name: str) -> list[str]:
        """Wait for a run; its name in a list when it failed."""
        return [name] if self._started[name].wait() != 0 else []

    def show(self, name: str) -> None:
        """Print all that a run has printed."""
        info(f"\n== {name}\n{self._started[name].text()}")

    def reports(self) -> list[Path]:
        """The JUnit reports of all runs."""
        return [ARTIFACTS / f"{name}.xml" for name in self._started]

    def counts(self) -> list[str]:
        """For each run pytest's own last line."""
        return [line for name, process in self._started.items() for line in (f"{name}:", process.last_line())]


def run_beside_krita(runs: PytestRuns, every_krita: bool) -> list[str]:
    """The tests in the real Krita, and all others at the same time; the names of what failed."""
    failed: list[str] = []
    info("\nThe tests without Krita run beside these; what they print follows at the end.")
    others = runs.start("pytest", f"--ignore={KRITA}", shown=False)
    with ThreadPoolExecutor(1) as pool:
        unpackings = [pool.submit(unpack, version) for version in OTHERS] if every_krita else []
        failed += runs.finish(runs.start("pytest_krita", KRITA, *(["--krita", INSTALLED] if every_krita else [])))
        kritas = [each.result() for each in unpackings]
    if every_krita:
        failed += run_core(runs, kritas)
    failed += runs.finish(others)
    runs.show(others)
    return failed


def run_core(runs: PytestRuns, kritas: list[Unpacking]) -> list[str]:
    """The core of the tests in each of ``kritas`` that is there; the names of what failed."""
    runs.notes.extend(krita.sentence for krita in kritas)
    runs.notes.extend(f"Krita {krita.version} was NOT tested." for krita in kritas if not krita.there)
    failed = [f"unpacking Krita {krita.version}" for krita in kritas if krita.failed]
    versions = [krita.version for krita in kritas if krita.there]
    if versions:
        failed += runs.finish(runs.start("pytest_krita_core", KRITA, "-m", "core", "--krita", ",".join(versions)))
    missing = missing_kritas(runs.reports(), (INSTALLED, *versions))
    return failed + [f"no test ran in Krita {version}" for version in missing]
