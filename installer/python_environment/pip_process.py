"""Runs the environment's pip, and the script that downloads through it; both end with the installer."""

import json
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from shared.atomic_file import write_atomically
from shared.setup_progress import SetupPhase

from ..messages import InstallError, info
from ..progress import ProgressReport
from ..subprocesses import run_guarded
from .explain import explain_pip, install_error
from .packages import Package

QUIET = ("--disable-pip-version-check", "--no-input", "--progress-bar", "off", "--quiet")
_FETCH = Path(__file__).resolve().parent / "children" / "fetch.py"


class RefusedFile(Exception):
    """The server does not have a file that the plan names."""

    def __init__(self, reason: InstallError) -> None:
        super().__init__(str(reason))
        self.reason = reason


def site_packages(venv: Path, version: tuple[int, int] = sys.version_info[:2], platform: str = sys.platform) -> Path:
    """The folder of packages of an environment."""
    return (
        venv / "Lib" / "site-packages" if platform == "win32" else venv / f"lib/python{version[0]}.{version[1]}/site-packages"
    )


def run_pip(
    python: Path,
    project: Path,
    arguments: tuple[str, ...],
    doing: str,
    extra: Mapping[str, str] | None = None,
    on_wait: Any = lambda: None,
) -> None:
    """Run pip in ``project`` with ``arguments``; InstallError when it fails.

    doing: for the sentence, as ``could not be installed``.  extra: environment variables.  on_wait: as for ``run_guarded``.
    """
    status, text = run_guarded(python, ("pip", *arguments), project, extra, on_wait=on_wait)
    if status != 0:
        info(text.strip())
        raise explain_pip(text, doing)


def update_pip(python: Path, project: Path, report: ProgressReport) -> None:
    """Bring the environment's pip to the version that constraints.txt pins: older ones download in order to resolve."""
    match = re.search(r"^pip==(\S+)", (project / "constraints.txt").read_text(encoding="utf-8"), re.M)
    if match is None or run_guarded(python, ("pip", "--version"))[1].split()[1:2] == [match.group(1)]:
        return
    report.begin(SetupPhase.RESOLVE, "Preparing pip, which installs the packages ...")
    run_pip(python, project, ("install", *QUIET, f"pip=={match.group(1)}"), "could not be prepared")


def is_reachable(python: Path, address: str) -> bool:
    """Whether pip can read the page ``address``."""
    answers: list[dict[str, Any]] = []
    run_guarded(python, (_FETCH, "probe", address), on_line=lambda line: answers.append(_object(line)))
    return any(answer.get("reachable") for answer in answers)


def fetch(
    python: Path, command: str, files: Iterable[Package], folder: Path, show: Any = lambda answer: None
) -> dict[str, Any]:
    """The last answer of children/fetch.py; raises InstallError, or RefusedFile."""
    job_file = folder / "job.json"
    items = [{"name": package.file, "url": package.url, "sha256": package.sha256} for package in files]
    write_atomically(job_file, json.dumps({"folder": str(folder), "files": items}).encode())
    last: dict[str, Any] = {}

    def read(line: str) -> None:
        answer = _object(line)
        if answer:
            last.clear()
            last.update(answer)
            show(answer)

    status, text = run_guarded(python, (_FETCH, command, job_file), on_line=read)
    if "error" in last:
        error = install_error(last["error"], last["name"], last["detail"])
        raise RefusedFile(error) if last["error"] == "refused" and command == "download" else error
    if status != 0 or not last:
        raise explain_pip(text, "could not be downloaded")
    return last


def _object(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
