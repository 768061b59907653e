"""Weights lie where the processor is fast with them."""

from pathlib import Path

import pytest
import torch

from backend.training.animediffusion.batch import BatchConfig
from backend.training.animediffusion.config import AnimeTrainConfig, fastest_memory_format
from backend.training.animediffusion.dataset import FacePairs
from backend.training.animediffusion.phases import InitialNetwork, Phase1
from backend.training.engine.config import Hardware
from backend.training.engine.trainer import Trainer
from shared.devices.device_status import NumberFormat
from tests.parity.golden import ANIME, golden


@pytest.mark.parametrize(("there", "expected"), [(True, torch.channels_last), (False, torch.contiguous_format)])
def test_channels_are_last_on_a_gpu_only(there: bool, expected: torch.memory_format, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    assert fastest_memory_format("auto") is expected
    assert fastest_memory_format("cpu") is torch.contiguous_format and fastest_memory_format("cuda") is torch.channels_last


@pytest.mark.parametrize("wanted", [torch.channels_last, torch.contiguous_format])
def test_a_run_takes_the_memory_format_of_its_hardware(wanted: torch.memory_format, faces: Path, tmp_path: Path) -> None:
    task = Phase1(FacePairs(faces), InitialNetwork(golden(ANIME).sd), BatchConfig(1, 16), "sum")
    run = Trainer(
        task,
        AnimeTrainConfig(steps=1),
        tmp_path,
        Hardware(device="cpu", number_format=NumberFormat.FLOAT32, memory_format=wanted),
    )
    kernels = [
        weight
        for weight in run.unwrapped_network.parameters()
        if weight.ndim == 4 and weight.shape[2] > 1 and weight.shape[1] > 1
    ]
    assert kernels and all(weight.is_contiguous(memory_format=wanted) for weight in kernels)
