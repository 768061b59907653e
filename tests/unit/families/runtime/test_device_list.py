"""Which devices there are, what they are called, and what computes where the chosen one does not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from backend.families.runtime.device_list import (
    card_title,
    check_device,
    find_hints,
    processor_title,
    report_devices,
    select_device,
)
from shared.devices.device_status import AUTOMATIC, PROCESSOR, SLOWER, DeviceInfo
from shared.devices.graphics_cards import AMD, INTEL, NVIDIA, GraphicsCard

LARGE, SMALL = DeviceInfo("cuda:1", "NVIDIA RTX 3090, 24 GB"), DeviceInfo("cuda:0", "NVIDIA GTX 1080, 8 GB")
DEVICES = (LARGE, SMALL, DeviceInfo(PROCESSOR, "Processor (8 cores)"))
CARDS = (LARGE.name, SMALL.name)
needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")


def only(*names: str) -> Callable[[str], str]:
    """A check that lets these compute."""
    return lambda name: "" if name in names else "no kernel image is available"


def test_the_best_is_chosen_automatically() -> None:
    assert select_device(AUTOMATIC, DEVICES, CARDS, only(*CARDS)) == (LARGE.name, "")
    assert select_device(AUTOMATIC, DEVICES[2:], (), only()) == (PROCESSOR, "")


@pytest.mark.parametrize("name", [*CARDS, PROCESSOR])
def test_what_the_painter_has_chosen_computes(name: str) -> None:
    assert select_device(name, DEVICES, CARDS, only(*CARDS)) == (name, "")


def test_the_processor_is_not_checked() -> None:
    assert select_device(PROCESSOR, DEVICES, CARDS, only()) == (PROCESSOR, "")


def test_where_the_best_fails_the_next_one_computes_and_that_is_said() -> None:
    used, problem = select_device(AUTOMATIC, DEVICES, CARDS, only(SMALL.name))
    assert used == SMALL.name
    assert problem.startswith(LARGE.title) and problem.endswith(f"{SMALL.title} computes instead.")


@pytest.mark.parametrize("choice", [AUTOMATIC, LARGE.name])
def test_where_nothing_else_computes_the_processor_does_and_that_is_said(choice: str) -> None:
    used, problem = select_device(choice, DEVICES, CARDS, only())
    assert used == PROCESSOR
    assert problem.startswith(LARGE.title) and problem.endswith(SLOWER)


def test_a_card_that_is_gone_leaves_the_processor_and_a_sentence() -> None:
    used, problem = select_device("cuda:7", DEVICES, CARDS, only(*CARDS))
    assert used == PROCESSOR and "cuda:7" in problem and problem.endswith(SLOWER)


def test_this_computer_has_a_processor_that_computes() -> None:
    report = report_devices(PROCESSOR)
    assert report.devices[-1] == DeviceInfo(PROCESSOR, processor_title())
    assert (report.used, report.problem) == (PROCESSOR, "")
    assert check_device(PROCESSOR) == ""


@pytest.mark.parametrize("name", ["cuda:99", "xpu:99", "no device at all"])
def test_a_device_that_is_not_there_does_not_compute(name: str) -> None:
    assert check_device(name)
    assert report_devices(name).used == PROCESSOR


@needs_cuda
def test_a_gpu_is_found_and_computes() -> None:
    report = report_devices(AUTOMATIC)
    assert report.used.startswith("cuda:") and report.used == report.devices[0].name
    assert "GB" in report.devices[0].title and not report.problem and not report.hints


@pytest.mark.parametrize(
    ("name", "gibibytes", "title"),
    [
        ("NVIDIA GeForce RTX 3060", 11.76, "NVIDIA RTX 3060, 12 GB"),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", 15.7, "NVIDIA RTX 4090, 16 GB"),
        ("AMD Radeon RX 7900 XTX", 24.0, "AMD Radeon RX 7900 XTX, 24 GB"),
        ("Intel(R) Arc(TM) A770 Graphics", 15.1, "Intel Arc A770, 15 GB"),
        ("", 0.4, "Graphics card, 1 GB"),
    ],
)
def test_cards_have_short_names(name: str, gibibytes: float, title: str) -> None:
    assert card_title(name, int(gibibytes * 1024**3)) == title


def test_cores_are_counted_in_plain_words() -> None:
    assert processor_title().startswith("Processor (") and "core" in processor_title()


@pytest.mark.skipif(torch.version.cuda is not None or torch.version.hip is not None, reason="this torch is built for cards")
def test_a_card_that_this_torch_cannot_use_is_a_hint_with_the_command() -> None:
    cards = [GraphicsCard(vendor, "", 0) for vendor in (NVIDIA, NVIDIA, AMD)]
    nvidia, amd = find_hints(cards, ())
    assert nvidia.endswith("install.py --device cuda.") and amd.endswith("install.py --device rocm.")
    assert NVIDIA in nvidia and AMD in amd


def test_a_card_that_computes_needs_no_hint() -> None:
    assert find_hints([GraphicsCard(NVIDIA, "", 0)], ["cuda:0"]) == ()
    assert find_hints([GraphicsCard(INTEL, "", 0)], ["xpu:0"]) == ()
    assert len(find_hints([GraphicsCard(INTEL, "", 0)], ["cuda:0"])) == 1
    assert find_hints([], []) == ()
