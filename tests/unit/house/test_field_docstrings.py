"""Fields of public dataclasses say what their type does not: units, ranges, shapes, what 0 or None stands for."""

import ast
from collections.abc import Iterator
from pathlib import Path

MOST_WITHOUT = 0.1
"""Share of the fields that may have no docstring, as their name and type, or the class's docstring, say all."""


def fields(tree: ast.Module) -> Iterator[tuple[str, bool]]:
    """``Class.field`` of each public dataclass, and whether a docstring follows."""
    for cls in ast.walk(tree):
        if not isinstance(cls, ast.ClassDef) or cls.name.startswith("_"):
            continue
        if not any("dataclass" in ast.unparse(decorator) for decorator in cls.decorator_list):
            continue
        for statement, after in zip(cls.body, [*cls.body[1:], None], strict=True):
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                has_docstring = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
                yield f"{cls.name}.{statement.target.id}", has_docstring


def test_nine_fields_of_ten_have_a_docstring(project: Path) -> None:
    found = [
        (f"{path.relative_to(project)}: {name}", has_docstring)
        for path in sorted((project / "backend").rglob("*.py"))
        for name, has_docstring in fields(ast.parse(path.read_text(encoding="utf-8")))
    ]
    without = [name for name, has_docstring in found if not has_docstring]
    assert len(found) > 500
    assert len(without) <= MOST_WITHOUT * len(found), f"{len(without)} of {len(found)}:\n" + "\n".join(without)


def test_a_docstring_is_seen() -> None:
    source = '@dataclass\nclass A:\n    x: int\n    """Pixels."""\n    y: int\n\n@dataclass\nclass _B:\n    z: int\n'
    assert list(fields(ast.parse(source))) == [("A.x", True), ("A.y", False)]
