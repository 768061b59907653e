"""What all tests share."""

from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent


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
