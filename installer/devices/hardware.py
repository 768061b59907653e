"""Finds what this computer could compute on, without PyTorch: it is asked before anything is installed."""

import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from shared.devices.graphics_cards import AMD, INTEL, NVIDIA, GraphicsCard, find_graphics_cards


class DeviceKind(str, Enum):
    """A kind of device that PyTorch computes on; the value is its spelling on the command line and in the stamp."""

    CPU = "cpu"
    CUDA = "cuda"
    ROCM = "rocm"
    XPU = "xpu"
    MPS = "mps"


NAMES = {
    DeviceKind.CPU: "the processor alone",
    DeviceKind.CUDA: "the NVIDIA GPU",
    DeviceKind.ROCM: "the AMD GPU",
    DeviceKind.XPU: "the Intel GPU",
    DeviceKind.MPS: "the GPU of this Mac",
}
"""For sentences."""


@dataclass(frozen=True)
class Hardware:
    """What was found beside the processor."""

    usable: tuple[DeviceKind, ...]
    """GPUs whose driver is there too, the best first."""
    uncertain: tuple[DeviceKind, ...] = ()
    """GPUs that may be too old for PyTorch, or whose libraries were not found."""
    without_driver: tuple[DeviceKind, ...] = ()
    """GPUs that PyTorch could use if their driver were installed."""


@dataclass(frozen=True)
class Probe:
    """How the computer is asked; tests describe another one."""

    platform: str
    """As ``sys.platform``."""
    machine: str
    """As ``platform.machine()``."""
    root: Path
    """The root of the file system."""
    has_program: Callable[[str], bool]
    """Whether a program of that name is on the path."""
    find_cards: Callable[[Path], list[GraphicsCard]]
    """The cards with memory of their own, as ``find_graphics_cards(root)``."""


def this_probe() -> Probe:
    """The computer that this runs on."""
    return Probe(sys.platform, platform.machine(), Path("/"), lambda name: shutil.which(name) is not None, find_graphics_cards)


def find_hardware(probe: Probe) -> Hardware:
    """The GPUs of the computer."""
    if probe.platform == "darwin":
        return Hardware((DeviceKind.MPS,) if probe.machine == "arm64" else ())
    found: dict[str, list[DeviceKind]] = {"usable": [], "uncertain": [], "without_driver": []}
    judges = {NVIDIA: (DeviceKind.CUDA, _nvidia), AMD: (DeviceKind.ROCM, _amd), INTEL: (DeviceKind.XPU, _intel)}
    vendors = {card.vendor for card in probe.find_cards(probe.root)}
    for vendor, (kind, judge) in judges.items():
        if vendor in vendors:
            found[judge(probe)].append(kind)
    return Hardware(tuple(found["usable"]), tuple(found["uncertain"]), tuple(found["without_driver"]))


def _nvidia(probe: Probe) -> str:
    has_driver = (probe.root / "proc" / "driver" / "nvidia" / "version").exists() or probe.has_program("nvidia-smi")
    return "usable" if has_driver else "without_driver"


def _amd(probe: Probe) -> str:
    if probe.platform == "win32":
        return "uncertain"
    if not (probe.root / "dev" / "kfd").exists():  # the driver's door for computing
        return "without_driver"
    return "usable" if (probe.root / "opt" / "rocm").exists() or probe.has_program("rocminfo") else "uncertain"


def _intel(probe: Probe) -> str:
    has_libraries = probe.platform == "win32" or any((probe.root / "usr").glob("lib*/**/libze_loader.so.1"))
    return "usable" if has_libraries else "uncertain"
