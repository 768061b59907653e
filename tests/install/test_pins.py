"""constraints.txt pins everything the extras bring in, and what runs here is what it pins."""

import re
import sys
from importlib import metadata
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement

from tests.unit.house.imports import imports


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def extras(project: Path) -> dict[str, list[Requirement]]:
    """The extras of pyproject.toml (read by pattern: Python 3.10 has no reader of its own)."""
    text = (project / "pyproject.toml").read_text(encoding="utf-8")
    section = text.split("[project.optional-dependencies]")[1].split("\n[")[0]
    sections = re.findall(r"^(\w+) = \[\n(.*?)^\]", section, re.M | re.S)
    return {name: [Requirement(line) for line in re.findall(r'"([^"]+)"', body)] for name, body in sections}


def pins(project: Path) -> dict[str, str]:
    """name -> version of the lines of constraints.txt that hold on this Python."""
    lines = (project / "constraints.txt").read_text(encoding="utf-8").splitlines()
    requirements = [Requirement(line) for line in lines if line and not line.startswith("#")]
    versions: dict[str, str] = {}
    for requirement in requirements:
        (specifier,) = requirement.specifier
        assert specifier.operator == "=="
        if requirement.marker is None or requirement.marker.evaluate():
            assert requirement.name not in versions, f"{requirement.name} is pinned twice"
            versions[canonical(requirement.name)] = specifier.version
    return versions


def closure(roots: list[Requirement]) -> dict[str, str]:
    """name -> installed version of everything ``roots`` need, themselves included."""
    installed: dict[str, str] = {}
    todo = list(roots)
    while todo:
        requirement = todo.pop()
        name = canonical(requirement.name)
        first = name not in installed
        distribution = metadata.distribution(name)
        installed[name] = distribution.version.split("+")[0]
        for line in distribution.requires or [] if first or requirement.extras else []:
            needed = Requirement(line)
            environments = [{**default_environment(), "extra": extra} for extra in ("", *requirement.extras)]
            holds = needed.marker is None or any(needed.marker.evaluate(environment) for environment in environments)
            if holds and canonical(needed.name) not in installed:
                todo.append(needed)
    return installed


def test_everything_the_extras_need_is_pinned_at_the_version_that_runs_here(project: Path) -> None:
    wanted = extras(project)
    assert sorted(wanted) == ["backend", "dev", "train"]
    running = closure([requirement for requirements in wanted.values() for requirement in requirements])
    assert len(running) > 60
    versions = pins(project)
    assert {name: versions.get(name) for name in running} == running


def imported(project: Path, *folders: str) -> set[str]:
    """Distributions that the Python files of ``folders`` import, this project's own and the standard library left out."""
    owners = metadata.packages_distributions()
    tops = {
        target.split(".")[0]
        for folder in folders
        for path in (project / folder).rglob("*.py")
        for _, target in imports(path, project)
    }
    return {canonical(owners[top][0]) for top in tops - sys.stdlib_module_names if top in owners and top not in OWN}


OWN = ("backend", "shared", "tests", "install", "installer", "benchmarks")
LOADED_BY_NAME = {"pytest-timeout", "ruff", "pyright", "pyqt6", "tensorboard"}
"""Programs, plugins and what is imported by name: asked for without an import statement."""


def test_what_is_imported_is_asked_for_and_nothing_else(project: Path) -> None:
    asked = {
        name: {canonical(requirement.name) for requirement in requirements} for name, requirements in extras(project).items()
    }
    assert imported(project, "backend", "shared") <= asked["backend"] | asked["train"]
    assert (
        imported(project, "backend/server", "backend/cli", "backend/pipeline", "backend/imaging", "shared") <= asked["backend"]
    )
    everything = imported(project, "backend", "shared", "tests", "benchmarks")
    assert asked["backend"] | asked["train"] | asked["dev"] <= everything | LOADED_BY_NAME


def test_the_plugins_libraries_are_pinned_with_hashes(project: Path) -> None:
    text = (project / "krita_plugin" / "vendor.txt").read_text(encoding="utf-8")
    names = re.findall(r"^([\w-]+)==[\d.]+ \\$", text, re.M)
    assert sorted(names) == ["certifi", "charset-normalizer", "idna", "requests", "urllib3"]
    assert len(re.findall(r"^    --hash=sha256:[0-9a-f]{64}$", text, re.M)) == len(names)
