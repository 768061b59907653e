"""What all tests share."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.leftover_processes import end_leftovers

PROJECT = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    """Here and not in ``tests/krita``, where pytest would not see it in a run of everything."""
    parser.addoption(
        "--event-storm",
        action="store_true",
        help="tests in the real Krita: let it handle all kinds of events inside each of its calls that handle any",
    )
    parser.addoption(
        "--krita",
        default="",
        metavar="VERSIONS",
        help="for tests/krita: 5.1, 5.2, 5.3, 6.0, several with commas, or all (default: the installed one)",
    )


@pytest.fixture(scope="session")
def project() -> Path:
    """The checkout."""
    return PROJECT


@pytest.fixture(scope="session", autouse=True)
def _no_process_is_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Set up before all else and so torn down last: no test leaves a backend behind.  Its folder says which test it was."""
    yield
    left = end_leftovers(tmp_path_factory.getbasetemp())
    assert not left, "processes of tests were still running:\n" + "\n".join(left)


@pytest.fixture(scope="session")
def artifacts() -> Path:
    """The git-ignored folder whose contents CI keeps: screenshots, reports."""
    folder = PROJECT / "artifacts"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(autouse=True)
def _own_accelerator() -> Iterator[None]:
    """Accelerate keeps its first choice of number format for a whole process, and each run of the program is one of its own."""
    yield
    state = sys.modules.get("accelerate.state")
    if state is not None:
        state.AcceleratorState._reset_state(reset_partial_state=True)
