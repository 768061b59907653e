"""Rooms are small, and no two of them hold each other up."""

from collections import Counter
from pathlib import Path

from tests.unit.house.imports import imports

ROOMS = ("backend", "krita_plugin", "shared", "installer")
MOST_FILES = 15
"""Python files in one folder."""


def sources(project: Path) -> list[Path]:
    return [path for room in ROOMS for path in sorted((project / room).rglob("*.py"))]


def test_no_folder_holds_more_files_than_one_can_keep_in_mind(project: Path) -> None:
    counts = Counter(path.parent.relative_to(project) for path in sources(project))
    assert not {str(folder): count for folder, count in counts.items() if count > MOST_FILES}


def import_graph(root: Path, paths: list[Path]) -> dict[str, set[str]]:
    """Module -> modules of ``paths`` it imports, anywhere in the file: also below ``TYPE_CHECKING`` and inside functions."""
    names = {path: ".".join(path.relative_to(root).with_suffix("").parts) for path in paths}
    modules = {name.removesuffix(".__init__"): name for name in names.values()}
    graph: dict[str, set[str]] = {name: set() for name in names.values()}
    for path, name in names.items():
        for _, target in imports(path, root):
            parts = target.split(".")
            # "from a import b" names module a.b, or b of module a; running the packages above them is no import of theirs
            module = modules.get(target) or modules.get(".".join(parts[:-1]))
            if module is not None and module != name:
                graph[name].add(module)
    return graph


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Every circle that a depth-first walk runs into, as the names on it."""
    found: list[list[str]] = []
    done: set[str] = set()

    def visit(name: str, path: list[str]) -> None:
        if name in path:
            found.append([*path[path.index(name) :], name])
        elif name not in done:
            for target in sorted(graph[name]):
                visit(target, [*path, name])
            done.add(name)

    for name in sorted(graph):
        visit(name, [])
    return found


def test_circles_are_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == [["b", "c", "b"]]
    assert not circles({"a": {"b", "c"}, "b": {"c"}, "c": set()})


def test_a_circle_below_type_checking_is_one(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from b import B\n")
    (tmp_path / "b.py").write_text("def f():\n    from a import A\n")
    assert circles(import_graph(tmp_path, sorted(tmp_path.glob("*.py")))) == [["a", "b", "a"]]


def test_no_imports_run_in_a_circle(project: Path) -> None:
    backend = [path for room in ("backend", "shared", "installer") for path in sorted((project / room).rglob("*.py"))]
    assert not circles(import_graph(project, backend))
    plugin = project / "krita_plugin"
    assert not circles(import_graph(plugin, sorted(plugin.rglob("*.py"))))
