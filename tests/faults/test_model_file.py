"""The real mini model with damaged or missing files."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.errors import ErrorCode
from shared.protocol import JobState
from tests.api import images
from tests.api.backend_process import PROJECT, BackendProcess
from tests.api.following import last, send

SHIPPED = PROJECT / "backend" / "data" / "mini"


def test_a_damaged_model_says_so_and_works_once_it_is_repaired(start: Callable[..., BackendProcess], tmp_path: Path) -> None:
    own = tmp_path / "home" / "models" / "mini"
    shutil.copytree(SHIPPED, own)
    weights = max(own.glob("*.safetensors"), key=lambda path: path.stat().st_size)
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    client = start(registry="backend.families.registry", preload="mini").client
    wanted = images.request("mini", steps=1)
    failed = last(client, send(client, wanted))
    assert failed.error is not None and failed.error.code is ErrorCode.MODEL_CORRUPT
    (row,) = [model for model in client.models() if model.name == "mini"]
    assert not row.ready and row.reason
    weights.write_bytes(whole)
    assert last(client, send(client, wanted)).state is JobState.DONE
    assert all(model.ready for model in client.models())


@pytest.mark.parametrize("name", ["SHA256SUMS", "config.json"])
def test_a_missing_file_says_so(start: Callable[..., BackendProcess], tmp_path: Path, name: str) -> None:
    own = tmp_path / "home" / "models" / "mini"
    shutil.copytree(SHIPPED, own)
    (own / name).unlink()
    client = start(registry="backend.families.registry", preload="mini").client
    failed = last(client, send(client, images.request("mini", steps=1)))
    assert failed.error is not None and failed.error.code is ErrorCode.MODEL_MISSING
    assert not client.models()[0].ready
