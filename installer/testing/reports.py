"""What pytest's JUnit reports say about the tests in the real Kritas."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

KRITA_TESTS = "tests.krita"
ASKED, RAN = "krita", "krita_version"
"""Properties of a test: the version that was asked for ('' = the installed one), and what Krita said it is."""


def krita_cases(reports: Iterable[Path]) -> list[ElementTree.Element]:
    """All tests of ``tests/krita`` in those of ``reports`` that are there."""
    cases = [case for report in reports if report.is_file() for case in ElementTree.parse(report).iter("testcase")]
    return [case for case in cases if case.get("classname", "").startswith(KRITA_TESTS)]


def skipped_krita_tests(reports: Iterable[Path]) -> str:
    """A sentence about the real-Krita tests that did not run; '' when all of them ran."""
    cases = krita_cases(reports)
    skipped = [case.get("name", "") for case in cases if case.find("skipped") is not None]
    if not cases:
        return "No test ran in the real Krita."
    return f"Of {len(cases)} tests in the real Krita these were skipped: {', '.join(skipped)}." if skipped else ""


def missing_kritas(reports: Iterable[Path], versions: Iterable[str]) -> list[str]:
    """Those of ``versions`` in which no test ran at all."""
    ran = {_property(case, ASKED) for case in krita_cases(reports)}
    return [version for version in versions if version not in ran]


def table(reports: Iterable[Path]) -> list[str]:
    """For each Krita one line: what it says it is, and how many tests passed, failed and were skipped in it."""
    counts: dict[str, Counter[str]] = {}
    versions: dict[str, str] = {}
    for case in krita_cases(reports):
        asked = _property(case, ASKED)
        if asked is None:  # a test without Krita
            continue
        versions[asked] = _property(case, RAN) or versions.get(asked, "")
        counts.setdefault(asked, Counter())[_outcome(case)] += 1
    return [
        "Krita %-18s %4d passed %4d failed %4d skipped"
        % (
            versions[asked] or f"{asked or 'installed'}, did not start",
            *(counts[asked][key] for key in ("passed", "failed", "skipped")),
        )
        for asked in sorted(counts)
    ]


def _outcome(case: ElementTree.Element) -> str:
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    return "skipped" if case.find("skipped") is not None else "passed"


def _property(case: ElementTree.Element, name: str) -> str | None:
    found = [each.get("value", "") for each in case.iter("property") if each.get("name") == name]
    return found[-1] if found else None
