"""Whatever is wrong with a file in the models folder, it is refused with its own sentence and the other models color on."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from shared.errors import ErrorCode
from shared.paths import models_dir
from shared.protocol import JobState, JobStatus
from tests.api import images
from tests.api.backend_process import BackendProcess
from tests.api.following import last, send
from tests.parity.golden import FILES, write_checkpoint

GOOD = FILES["v1.5"].split(".")[0]


def truncated(good: Path, bad: Path) -> None:
    bad.write_bytes(good.read_bytes()[:-1000])


def pickled(good: Path, bad: Path) -> None:
    torch.save(load_file(good), bad)


def hostile(good: Path, bad: Path) -> None:
    bad.write_bytes((10**15).to_bytes(8, "little") + b'{"model.x": {}}')


def nonsense(good: Path, bad: Path) -> None:
    bad.write_bytes(b"no weights, only words" * 100)


def incomplete(good: Path, bad: Path) -> None:
    tensors = load_file(good)
    tensors.pop("model.diffusion_model.out.2.weight")
    save_file(tensors, bad)
    shutil.copy(good.with_suffix(".json"), bad.with_suffix(".json"))


def of_another_kind(good: Path, bad: Path) -> None:
    later = (
        "model.x",
        "first_stage_model.x",
        "control_encoder.x",
        "bg_encoder.x",
        "proj.x",
    )  # of XL-v2, which nobody takes yet
    save_file({name: torch.zeros(2) for name in later}, bad)


def without_background_encoder(good: Path, bad: Path) -> None:
    """v2's file, without one of its networks."""
    path = write_checkpoint("v2", bad.parent.parent)
    save_file({name: x for name, x in load_file(path).items() if not name.startswith("bg_encoder.")}, bad)
    shutil.copy(path.with_suffix(".json"), bad.with_suffix(".json"))


def poisoned(good: Path, bad: Path) -> None:
    tensors = load_file(good)
    tensors["model.diffusion_model.out.2.weight"][0] = torch.nan
    save_file(tensors, bad)
    shutil.copy(good.with_suffix(".json"), bad.with_suffix(".json"))


FAULTS = {
    truncated: ErrorCode.MODEL_TRUNCATED,
    pickled: ErrorCode.MODEL_PICKLE,
    hostile: ErrorCode.MODEL_HEADER,
    nonsense: ErrorCode.MODEL_UNREADABLE,
    incomplete: ErrorCode.MODEL_KEYS,
    of_another_kind: ErrorCode.MODEL_OTHER_FAMILY,
    without_background_encoder: ErrorCode.MODEL_PART_MISSING,
    poisoned: ErrorCode.MODEL_CORRUPT,
}


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BackendProcess]:
    """A backend with the product's own registry, a checkpoint, and one file for every fault."""
    home = tmp_path_factory.mktemp("real")
    models_dir(home).mkdir(parents=True)
    good = write_checkpoint("v1.5", models_dir(home))
    for fault in FAULTS:
        fault(good, models_dir(home) / f"{fault.__name__}.safetensors")
    backend = BackendProcess(home, registry="backend.families.registry", preload="").start()
    yield backend
    backend.stop()


def colored(backend: BackendProcess, model: str) -> JobStatus:
    wanted = replace(images.request(model, steps=1), parameters={"size": 256, "sampler": "ddim"})
    return last(backend.client, send(backend.client, wanted))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_bad_file_is_refused_and_the_good_one_colors_on(real: BackendProcess, fault: object) -> None:
    name = fault.__name__  # type: ignore[attr-defined]
    assert colored(real, GOOD).state is JobState.DONE
    pid = real.worker_pid()
    wanted = images.request(name, steps=1)
    ended = last(real.client, send(real.client, wanted))
    assert ended.error is not None and ended.error.code is FAULTS[fault]  # type: ignore[index]
    assert colored(real, GOOD).state is JobState.DONE
    assert real.worker_pid() == pid


def test_each_is_listed_with_a_reason_found_in_the_header(real: BackendProcess) -> None:
    rows = {model.name: model for model in real.client.models()}
    assert rows[GOOD].ready and not rows["of_another_kind"].ready
    reasons = {rows[fault.__name__].reason for fault in (truncated, pickled, hostile, nonsense)}
    assert len(reasons) == 4 and all(len(reason.split()) > 4 for reason in reasons)
