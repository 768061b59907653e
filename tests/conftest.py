"""What all tests share: tests in the real Krita are skipped with a sentence where it is not installed, or may not be."""

from pathlib import Path

import pytest

from installer.testing import missing_krita_programs, missing_sentence

PROJECT = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--require-krita", action="store_true", help="a skipped real-Krita test is a failure")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    missing = missing_krita_programs()
    if not missing:
        return
    for item in items:
        if item.get_closest_marker("krita"):
            item.add_marker(pytest.mark.skip(reason=missing_sentence(missing)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    report = yield
    if report.skipped and item.get_closest_marker("krita") and item.config.getoption("--require-krita"):
        report.outcome = "failed"
        report.longrepr = f"a real-Krita test was skipped, and --require-krita forbids it: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def project() -> Path:
    """The checkout."""
    return PROJECT


@pytest.fixture(scope="session")
def artifacts() -> Path:
    """The git-ignored folder whose contents CI keeps: screenshots, reports."""
    folder = PROJECT / "artifacts"
    folder.mkdir(exist_ok=True)
    return folder
