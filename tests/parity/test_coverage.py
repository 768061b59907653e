"""Every golden output is reproduced by some test, or stands in the list of those left out, with the reason."""

import importlib
from pathlib import Path

import pytest

from tests.parity.golden import FILES, Output, names

LEFT_OUT: dict[tuple[str, str], str] = {}
"""(version, output) -> why no test reproduces it."""


def covered() -> set[tuple[str, str]]:
    """(version, output) of everything that ``covers`` hands to the tests of this folder."""
    found: set[tuple[str, str]] = set()
    for path in Path(__file__).parent.glob("test_*.py"):
        for value in vars(importlib.import_module(f"tests.parity.{path.stem}")).values():
            for mark in getattr(value, "pytestmark", []):
                if mark.name == "parametrize" and mark.args[0] == "output":
                    outputs: list[Output] = [case.values[0] for case in mark.args[1]]
                    found |= {(output.version, output.name) for output in outputs}
    return found


@pytest.mark.parametrize("version", FILES)
def test_every_output_is_reproduced_or_left_out_for_a_reason(version: str) -> None:
    reached = covered()
    missing = [name for name in names(version) if (version, name) not in reached and (version, name) not in LEFT_OUT]
    assert not missing


def test_what_is_left_out_is_there_and_not_reproduced() -> None:
    reached = covered()
    for (version, name), reason in LEFT_OUT.items():
        assert name in names(version) and (version, name) not in reached and reason
