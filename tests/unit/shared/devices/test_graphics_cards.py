"""Which graphics cards count, from the files and the program that tell."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from shared.devices.graphics_cards import AMD, INTEL, MIN_MEMORY, NVIDIA, GraphicsCard, find_graphics_cards, read_output

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the files of Linux")


def put(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def cards(root: Path, smi: str = "") -> list[GraphicsCard]:
    return find_graphics_cards(root, lambda command: smi)


def test_nothing_is_found_where_nothing_is(tmp_path: Path) -> None:
    assert cards(tmp_path) == []


def test_nvidias_program_names_each_card_and_its_memory(tmp_path: Path) -> None:
    put(tmp_path, "sys/class/drm/card0/device/vendor", "0x10de\n")
    put(tmp_path, "sys/class/drm/card1/device/vendor", "0x1002\n")
    put(tmp_path, "sys/class/drm/card1/device/mem_info_vram_total", str(8 * 1024**3))
    found = cards(tmp_path, "NVIDIA GeForce RTX 3060, 12288\nNVIDIA H200, [N/A]\n")
    assert found == [
        GraphicsCard(NVIDIA, "NVIDIA GeForce RTX 3060", 12 * 1024**3),
        GraphicsCard(NVIDIA, "NVIDIA H200", 0),
        GraphicsCard(AMD, "", 8 * 1024**3),
    ]


def test_a_card_whose_program_is_missing_is_found_by_its_driver(tmp_path: Path) -> None:
    put(tmp_path, "sys/class/drm/card0/device/vendor", "0x10de\n")
    information = "Model: \t\t NVIDIA GeForce GTX 1080\nIRQ:   \t\t 90\n"
    put(tmp_path, "proc/driver/nvidia/gpus/0000:01:00.0/information", information)
    assert cards(tmp_path) == [GraphicsCard(NVIDIA, "NVIDIA GeForce GTX 1080", 0)]


def test_a_card_without_driver_is_found_by_its_number(tmp_path: Path) -> None:
    put(tmp_path, "sys/class/drm/card0/device/vendor", "0x10de\n")
    put(tmp_path, "sys/class/drm/card0-HDMI-A-1/device/vendor", "0x10de\n")
    assert cards(tmp_path) == [GraphicsCard(NVIDIA, "", 0)]


def test_a_driver_without_display_is_enough(tmp_path: Path) -> None:
    put(tmp_path, "proc/driver/nvidia/gpus/0000:01:00.0/information", "Model: NVIDIA A100\n")
    assert cards(tmp_path) == [GraphicsCard(NVIDIA, "NVIDIA A100", 0)]


@pytest.mark.parametrize(
    ("vendor", "file", "title"),
    [("0x1002", "device/mem_info_vram_total", AMD), ("0x8086", "lmem_total_bytes", INTEL)],
)
def test_graphics_built_into_a_processor_are_no_card(tmp_path: Path, vendor: str, file: str, title: str) -> None:
    put(tmp_path, "sys/class/drm/card0/device/vendor", vendor)
    assert cards(tmp_path) == []
    put(tmp_path, f"sys/class/drm/card0/{file}", str(MIN_MEMORY - 1))
    assert cards(tmp_path) == []
    put(tmp_path, f"sys/class/drm/card0/{file}", str(MIN_MEMORY))
    assert cards(tmp_path) == [GraphicsCard(title, "", MIN_MEMORY)]


def test_a_virtual_display_is_no_card(tmp_path: Path) -> None:
    put(tmp_path, "sys/class/drm/card0/device/vendor", "0x1234\n")
    assert cards(tmp_path) == []


def test_a_program_that_is_missing_or_fails_says_nothing() -> None:
    assert read_output(("no-such-program-of-linewash",)) == ""
    assert read_output((sys.executable, "-c", "print(1); raise SystemExit(9)")) == ""
    assert read_output((sys.executable, "-c", "print('here')")).strip() == "here"
