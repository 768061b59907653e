"""A model that appears in the models folder while the backend runs is found without a restart; one that goes is gone."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from shared.client import Client
from shared.errors import ErrorCode, LinewashError
from shared.paths import models_dir
from shared.protocol import JobState
from tests.api import images
from tests.api.backend_process import PROJECT, BackendProcess
from tests.api.conftest import Starter
from tests.api.following import last, send, until


def names(client: Client) -> list[str]:
    return [model.name for model in client.models()]


@pytest.fixture
def dropped(backend: BackendProcess) -> Iterator[Path]:
    file = models_dir(backend.home) / "dropped.fake"
    file.parent.mkdir(exist_ok=True)
    file.touch()
    yield file
    file.unlink(missing_ok=True)


def test_a_dropped_model_is_listed_and_a_removed_one_no_longer(client: Client, dropped: Path) -> None:
    assert "dropped" in names(client)
    dropped.unlink()
    assert "dropped" not in names(client)
    with pytest.raises(LinewashError) as caught:
        send(client, images.request("dropped"))
    assert caught.value.code is ErrorCode.UNKNOWN_MODEL


def test_it_colors_although_nobody_has_listed_it(client: Client, dropped: Path) -> None:
    assert last(client, send(client, images.request("dropped"))).state is JobState.DONE


def test_it_is_listed_while_a_drawing_is_colored(client: Client, dropped: Path) -> None:
    job = send(client, images.request("patient"))
    until(client, job, lambda status: status.stage == "denoise")
    assert "dropped" in names(client)
    assert not client.status(job.id).state.terminal


def test_modes_and_parameters_are_checked_against_the_spec_at_once(client: Client) -> None:
    (moody,) = [model for model in client.models() if model.name == "moody"]
    assert [mode.name for mode in moody.modes] == ["plain", "tinted"] and moody.parameters[1].high == 50
    wanted = images.request("moody")
    for wrong in ({"mode": "sideways"}, {"parameters": {"light": 51}}, {"parameters": {"tint": 0.5}}):
        with pytest.raises(LinewashError) as caught:
            send(client, replace(wanted, **wrong))
        assert caught.value.code is ErrorCode.BAD_SETTING
    assert last(client, send(client, replace(wanted, mode="tinted", parameters={"tint": 1}))).state is JobState.DONE


def test_a_checkpoint_that_no_family_takes_is_listed_with_the_reason_and_refused(start: Starter, tmp_path: Path) -> None:
    folder = models_dir(tmp_path / "home")
    folder.mkdir(parents=True)
    names = ("model.x", "first_stage_model.x", "control_encoder.x", "proj.x", "bg_encoder.x")
    save_file({name: torch.zeros(1) for name in names}, folder / "strange.safetensors")
    backend = start(registry="backend.families.registry", preload="")
    (row,) = [model for model in backend.client.models() if model.name == "strange"]
    assert not row.ready and "xlv2" in row.reason and row.source == "strange.safetensors"
    ended = last(backend.client, send(backend.client, images.request("strange")))
    assert ended.error is not None and ended.error.code is ErrorCode.MODEL_OTHER_FAMILY


def test_a_worker_never_asks_the_hub() -> None:
    code = (
        "from backend.server.worker.process import stay_offline; stay_offline()\n"
        "from huggingface_hub import hf_hub_download\n"
        "from huggingface_hub.errors import LocalEntryNotFoundError\n"
        "try: hf_hub_download('someone/Weights', 'tiny.safetensors', endpoint='http://127.0.0.1:9')\n"
        "except LocalEntryNotFoundError as error: print('offline' if 'HF_HUB_OFFLINE' in repr(error.__cause__) else error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "offline", done.stdout
