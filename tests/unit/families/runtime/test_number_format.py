"""The number format of each device, and what overrides it."""

from __future__ import annotations

import pytest
import torch

from backend.families.runtime.number_format import SHORT_OF_MEMORY, NumberChoice, choose_number_format, device_has_bfloat16
from shared.devices.device_status import NumberFormat


@pytest.mark.parametrize(
    ("device", "has", "fits", "wanted"),
    [
        ("cuda", True, True, torch.bfloat16),
        ("cuda:1", False, True, torch.float16),
        ("xpu:0", True, False, torch.bfloat16),
        ("mps", True, True, torch.float16),
        ("cpu", True, True, torch.bfloat16),
        ("cpu", False, True, torch.float32),
        ("cpu", False, False, torch.bfloat16),
    ],
)
def test_each_device_has_its_number_format(device: str, has: bool, fits: bool, wanted: torch.dtype) -> None:
    choice = choose_number_format(device, NumberFormat.AUTOMATIC, lambda name: has, lambda: fits)
    assert choice.dtype is wanted
    assert choice.warning == (SHORT_OF_MEMORY if (device, has, fits) == ("cpu", False, False) else "")


@pytest.mark.parametrize("device", ["cpu", "cuda:0", "mps"])
def test_a_wish_overrides_it_and_nothing_is_asked(device: str) -> None:
    def ask(*_: object) -> bool:
        raise AssertionError("nothing depends on this")

    for wish, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16), ("float16", torch.float16)):
        assert NumberChoice(NumberFormat(wish)).dtype is dtype
        assert choose_number_format(device, NumberFormat(wish), ask, ask) == NumberChoice(NumberFormat(wish))


def test_memory_is_asked_only_where_it_matters() -> None:
    def ask() -> bool:
        raise AssertionError("float32 is not considered")

    assert choose_number_format("cpu", NumberFormat.AUTOMATIC, lambda name: True, ask).dtype is torch.bfloat16


def test_the_devices_themselves_are_asked() -> None:
    assert device_has_bfloat16("xpu:0") and not device_has_bfloat16("mps")
    if torch.cuda.is_available():
        assert device_has_bfloat16("cuda") is (torch.cuda.get_device_capability()[0] >= 8)
