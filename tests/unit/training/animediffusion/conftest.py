"""A few drawn faces in the benchmark's layout."""

from pathlib import Path

import pytest

from backend.training.synthetic.faces import write_faces


@pytest.fixture(scope="session")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faces")
    assert write_faces(folder, 3, 64, seed=5) == 3
    return folder
