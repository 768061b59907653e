"""Networks on another device, and the way a device's name takes from the command line to a family."""

from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import nn

from backend.contract.drawing import Drawing
from backend.families.mini.foreground import MiniSegmenter
from backend.families.registry import load
from backend.families.runtime.devices import DeviceProxy, to_device
from backend.families.runtime.network_loader import load_network
from backend.networks.mini.foreground import ForegroundUNet
from backend.weights.shipped_model import SHIPPED_MODELS, ModelFolder


class Pair(NamedTuple):
    first: torch.Tensor
    second: "tuple[torch.Tensor, int]"


class Spy(nn.Module):
    """Records the devices of the tensors it gets; returns a pair."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(2))
        self.devices: list[str] = []

    def forward(self, pair: Pair) -> Pair:
        self.devices += [pair.first.device.type, pair.second[0].device.type, self.weight.device.type]
        return Pair(pair.first * 2, (pair.second[0], pair.second[1] + 1))

    def condition(self, tensor: torch.Tensor) -> torch.Tensor:
        self.devices.append(tensor.device.type)
        return tensor + 1


def test_everything_inside_tuples_moves() -> None:
    there: Any = to_device(Pair(torch.ones(2), (torch.ones(3), 7)), torch.device("meta"))
    assert isinstance(there, Pair)
    assert (there.first.device.type, there.second[0].device.type, there.second[1]) == ("meta", "meta", 7)


def test_a_network_elsewhere_takes_and_gives_tensors_of_the_cpu() -> None:
    spy = Spy()
    elsewhere = DeviceProxy(spy, torch.device("cpu")).eval()
    answer = elsewhere(Pair(torch.ones(2), (torch.ones(3), 7)))
    assert torch.equal(answer.first, torch.full((2,), 2.0)) and answer.second[1] == 8
    assert torch.equal(elsewhere.condition(torch.ones(1)), torch.full((1,), 2.0))
    assert spy.devices == ["cpu"] * 4 and not spy.training
    assert DeviceProxy(Spy(), torch.device("meta")).network.weight.device.type == "meta"


def test_a_device_that_is_not_there_is_reported_when_a_model_is_loaded(tmp_path: Path) -> None:
    with pytest.raises((RuntimeError, AssertionError), match=r"(?i)cuda|device"):
        load("mini", tmp_path, "cuda:99")


def test_the_shipped_networks_go_to_the_device_that_was_asked_for() -> None:
    elsewhere: Any = load_network(ModelFolder(SHIPPED_MODELS / "mini"), "foreground", ForegroundUNet, "meta")
    assert isinstance(elsewhere, DeviceProxy)
    assert {p.device.type for p in elsewhere.parameters()} == {"meta"}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")
def test_a_gpu_finds_the_same_foreground(drawing: Drawing) -> None:
    here, there = (MiniSegmenter.load(ModelFolder(SHIPPED_MODELS / "mini"), device) for device in ("cpu", "cuda"))
    a, b = here.predict_from_lines(drawing.ink), there.predict_from_lines(drawing.ink)
    assert abs(a.astype(int) - b).mean() < 2
