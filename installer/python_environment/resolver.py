"""Which packages an installation takes: pip's resolver says, and the answer is kept over interruptions."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from shared.atomic_file import write_atomically
from shared.setup_progress import PROCESSOR_OPTION, SetupPhase

from ..checkout import Target
from ..devices.torch_builds import TorchBuild
from ..messages import InstallError, info
from ..progress import ProgressReport
from . import packages as package_lists
from .packages import Package
from .pip_process import QUIET, fetch, is_reachable, run_pip

HASHED_REQUIREMENTS = {"dev": "backend/evaluation/metrics/lpips.txt"}
"""Extra -> a file of packages with hashes, installed without their dependencies (these would bring another framework)."""

PLAN_FILE = "plan.json"


@dataclass(frozen=True)
class Order:
    """What is to be installed, and where."""

    target: Target
    extras: tuple[str, ...]
    build: TorchBuild
    key: str
    """Fingerprint of all that the list of packages depends on."""


def read_requirements(project: Path, extras: Iterable[str]) -> list[str]:
    """The requirements of ``extras`` in pyproject.toml, and its build tool; by pattern, as Python 3.10 has no reader."""
    text = (project / "pyproject.toml").read_text(encoding="utf-8")
    section = text.partition("[project.optional-dependencies]")[2].partition("\n[")[0]
    listed = dict(re.findall(r"^(\w+) = \[\n(.*?)^\]", section, re.M | re.S))
    build = re.search(r"^requires = \[(.*?)\]", text, re.M | re.S)
    bodies = [*(listed[extra] for extra in extras), build.group(1) if build else ""]
    return [line for body in bodies for line in re.findall(r'"([^"]+)"', body)]


def resolve(python: Path, order: Order, report: ProgressReport) -> tuple[Package, ...]:
    """All packages of ``order`` with their sizes; from the plan of an interrupted run when that was the same order."""
    plan_file = order.target.downloads / PLAN_FILE
    try:
        plan = json.loads(plan_file.read_text(encoding="utf-8"))
        if plan["key"] == order.key:
            return package_lists.from_json(plan["packages"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    report.begin(SetupPhase.RESOLVE, "Finding out which packages are needed ...")
    project, downloads = order.target.project, order.target.downloads
    downloads.mkdir(parents=True, exist_ok=True)
    report_file = downloads / "report.json"
    options = ("install", *QUIET, "--dry-run", "--ignore-installed", "--report", str(report_file))
    index = _extra_index(python, order.build)
    requirements = read_requirements(project, order.extras)
    found: list[Package] = []
    for wanted in (("--constraint", "constraints.txt", *index, *requirements), *_hashed(order.extras)):
        run_pip(python, project, (*options, *wanted), "could not be found")
        found += package_lists.read_report(json.loads(report_file.read_text(encoding="utf-8")))
    remote = [package for package in found if package.local_path is None]
    answer = fetch(python, "sizes", remote, downloads)
    sized = {package.url: package for package in package_lists.with_sizes(remote, answer["sizes"])}
    packages = tuple(sized.get(package.url, package) for package in found)
    write_atomically(plan_file, json.dumps({"key": order.key, "packages": package_lists.to_json(packages)}).encode())
    return packages


def _hashed(extras: Iterable[str]) -> list[tuple[str, ...]]:
    files = [HASHED_REQUIREMENTS[extra] for extra in extras if extra in HASHED_REQUIREMENTS]
    return [("--no-deps", "--require-hashes", "--requirement", file) for file in files]


def _extra_index(python: Path, build: TorchBuild) -> tuple[str, ...]:
    """The option for the index of ``build``; none, with a sentence, where the ordinary package does as well."""
    if not build.index:
        return ()
    if is_reachable(python, f"{build.index}/torch/"):
        return ("--extra-index-url", build.index)
    if build.is_index_needed:
        raise InstallError(
            f"PyTorch's download index ({build.index}), which has the build for {build.device.value}, could not be reached.",
            f"Check that this computer is online and start the installer again, or {PROCESSOR_OPTION}.",
        )
    info(
        f"PyTorch's download index ({build.index}) could not be reached, so PyTorch comes from pip's ordinary index. "
        "It works as well; on Linux it may bring NVIDIA's libraries along, some gigabytes."
    )
    return ()
