"""Modules are nouns, functions verb phrases: few of them are called by a participle or gerund alone."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOMS = ("backend", "krita_plugin", "shared", "installer")
LIMIT = 0.03
"""Largest share of modules, and of functions and methods, that may bear such a name; well-known projects have 0.2 to 9.5 %."""

NOUNS_OF_THE_FIELD = {
    "compositing": "laying layers over each other",
    "conditioning": "what a diffusion model is told beside the noisy latent",
    "distributed": "torch.distributed's own word",
    "drawing": "what is colored",
    "lighting": "light on 3D models",
    "painted": "a finish, as Flats is",
    "preprocessing": "what happens to images before a network sees them",
    "sampling": "from noise to an image",
    "scoring": "from images to metrics",
    "shading": "light and shadow in a drawing",
    "training": "as opposed to inference",
    "warning": "a sentence for the painter",
}
"""Allowed, each with its meaning."""

_OTHER_WORDS = """
bed bring ceiling embed feed king need nothing ring seed shed sling speed spring string thing thread watershed wing
"""
NO_PARTICIPLES = frozenset(re.findall(r"\w+", _OTHER_WORDS))
"""Words that merely end like one, and verbs."""

_IRREGULAR_VERBS = """
begun bent bought bound broken brought built caught chosen done drawn dealt eaten fallen fed felt forgotten found frozen given
gone got grown heard held hidden kept known laid left lost made meant met paid said seen sent shown slept sold sought spent
spoken spun stolen stood struck stuck sunk swept taken taught thought thrown told torn understood worn written
"""
IRREGULAR = frozenset(re.findall(r"\w+", _IRREGULAR_VERBS))


def is_participle(name: str) -> bool:
    """Whether a name is one word, and that a participle or gerund."""
    word = name.strip("_").lower()
    if len(re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+", name)) != 1 or word in NO_PARTICIPLES or word in NOUNS_OF_THE_FIELD:
        return False
    return word in IRREGULAR or re.fullmatch(r"[a-z]{2,}(ing|ed)", word) is not None


def sources(project: Path) -> list[Path]:
    return [path for room in ROOMS for path in sorted((project / room).rglob("*.py"))]


def functions(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not node.name.startswith("__"):
            yield node.name


@pytest.mark.parametrize("name", ["looking", "_settled", "Kept", "shown", "Remembering", "built"])
def test_a_participle_is_found(name: str) -> None:
    assert is_participle(name)


@pytest.mark.parametrize("name", ["refresh", "warning", "_drawing", "embed", "fixed_regions", "read", "ColorModel", "seed"])
def test_other_names_are_none(name: str) -> None:
    assert not is_participle(name)


def test_few_modules_are_called_by_a_participle(project: Path) -> None:
    names = [path.stem for path in sources(project) if path.name != "__init__.py"]
    found = [name for name in names if is_participle(name)]
    assert len(found) <= LIMIT * len(names), found


def test_few_functions_are_called_by_a_participle(project: Path) -> None:
    names = [(name, path) for path in sources(project) for name in functions(path)]
    found = [f"{path.relative_to(project)}: {name}" for name, path in names if is_participle(name)]
    assert len(found) <= LIMIT * len(names), "\n".join(found)


def test_few_classes_are_called_by_a_participle(project: Path) -> None:
    nodes = (node for path in sources(project) for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = [node.name for node in nodes if isinstance(node, ast.ClassDef)]
    found = [name for name in names if is_participle(name)]
    assert len(found) <= LIMIT * len(names), found
