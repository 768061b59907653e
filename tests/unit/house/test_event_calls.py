"""Krita's calls that handle events are made in one file, where their reader is warned."""

import ast
from pathlib import Path

import pytest

EVENT_CALLS = (
    "activeNode",
    "addChildNode",
    "close",
    "createDocument",
    "refreshProjection",
    "remove",
    "resizeImage",
    "saveAs",
    "setActiveNode",
    "setBlendingMode",
    "setColorSpace",
    "trigger",
    "waitForDone",
)
"""Methods of Krita's that handle events in one of its versions, or may; ``tests/krita/test_event_calls.py`` measures them."""
OWN = ("converter.close", "self._connection.close")
"""The plugin's own methods that are called so, too."""


def uses(source: str) -> list[str]:
    """Every use of one of these methods, called or passed on, as it is written."""
    attributes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)]
    written = [ast.unparse(node) for node in attributes if node.attr in EVENT_CALLS]
    return [text for text in written if text not in OWN]


@pytest.mark.parametrize("line", ["node.setColorSpace(*space)", "make(document.close)", "root().addChildNode(a, b)"])
def test_a_use_is_found(line: str) -> None:
    assert uses(line)


def test_no_other_file_of_the_plugin_makes_them(project: Path) -> None:
    plugin = project / "krita_plugin" / "linewash"
    found = {path.relative_to(plugin): uses(path.read_text()) for path in plugin.rglob("*.py") if "vendor" not in path.parts}
    assert {str(path) for path, written in found.items() if written} == {str(Path("krita_api", "event_calls.py"))}
