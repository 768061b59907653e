"""Reading what Python files import, without running them."""

import ast
from collections.abc import Iterator
from pathlib import Path


def imports(path: Path, root: Path) -> Iterator[tuple[int, str]]:
    """(line, dotted module name) of every import in ``path``, relative ones made absolute to ``root``.

    ``from a import b`` gives ``a.b``, which may be a module or a name in one.
    """
    package = path.relative_to(root).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            origin = ".".join((*base, *((node.module,) if node.module else ())))
            yield from ((node.lineno, f"{origin}.{alias.name}") for alias in node.names)


def lies_in(module: str, places: tuple[str, ...]) -> bool:
    """Whether dotted ``module`` is one of ``places`` or inside one."""
    return any(module == place or module.startswith(place + ".") for place in places)
