"""Counts what passed in which Krita, for a table at the end of the run and for the report in XML."""

from collections import Counter, defaultdict

import pytest

PROPERTY, VERSION = "krita", "krita_version"
"""Properties that each test has in the XML report: the version that was asked for, '' = the installed one, and the real one."""


class Tally:
    """A pytest plugin.  ``versions``: for each Krita that ran, by the name it was asked for, what it says it is."""

    def __init__(self) -> None:
        self.versions: dict[str, str] = {}
        self._counts: dict[str, Counter[str]] = defaultdict(Counter)

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Note which Krita each test drives."""
        if "krita" in getattr(item, "fixturenames", ()):
            params = getattr(getattr(item, "callspec", None), "params", {})
            item.user_properties.append((PROPERTY, params.get("krita", "")))

    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        """Note what that Krita says it is."""
        name = dict(item.user_properties).get(PROPERTY)
        if name in self.versions:
            item.user_properties.append((VERSION, self.versions[str(name)]))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a test once by what became of it, and also an error when it was cleared away."""
        name = dict(report.user_properties).get(PROPERTY)
        if name is not None and (report.when == "call" or not report.passed):
            self._counts[str(name)]["passed" if report.passed else "skipped" if report.skipped else "failed"] += 1

    def rows(self) -> list[str]:
        """One line for each Krita."""
        lines: list[str] = []
        for name, counts in sorted(self._counts.items()):
            version = self.versions.get(name, f"{name or 'installed'}, did not start")
            figures = (counts[key] for key in ("passed", "failed", "skipped"))
            lines.append("Krita %-18s %4d passed %4d failed %4d skipped" % (version, *figures))
        return lines

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The table."""
        if self._counts:
            terminalreporter.section("Kritas")
            for row in self.rows():
                terminalreporter.write_line(row)
