"""Which build of PyTorch goes with which device, and where pip gets it.

PyTorch's own download index has every build; what the ordinary package index has differs: on Linux it is the one for CUDA, on
Windows the one for processors, on a Mac the only one.  The builds must be those of the torch that ``constraints.txt`` pins.
"""

from dataclasses import dataclass

from .hardware import DeviceKind

OFFICIAL_INDEX = "https://download.pytorch.org/whl/"


@dataclass(frozen=True)
class TorchBuild:
    """One build of PyTorch."""

    device: DeviceKind
    index: str = ""
    """Address of an index that pip looks at too; '' = the ordinary one has it."""
    is_index_needed: bool = False
    """False: without that index the ordinary package works as well, only larger."""
    labels: tuple[str, ...] = ()
    """How the part of its version after '+' may begin; '' = it may have none."""


_LINUX = {
    DeviceKind.CPU: TorchBuild(DeviceKind.CPU, OFFICIAL_INDEX + "cpu", labels=("cpu", "cu", "")),
    DeviceKind.CUDA: TorchBuild(DeviceKind.CUDA, labels=("cu", "")),
    DeviceKind.ROCM: TorchBuild(DeviceKind.ROCM, OFFICIAL_INDEX + "rocm7.2", is_index_needed=True, labels=("rocm",)),
    DeviceKind.XPU: TorchBuild(DeviceKind.XPU, OFFICIAL_INDEX + "xpu", is_index_needed=True, labels=("xpu",)),
}
_WINDOWS = {
    DeviceKind.CPU: TorchBuild(DeviceKind.CPU, labels=("cpu", "")),
    DeviceKind.CUDA: TorchBuild(DeviceKind.CUDA, OFFICIAL_INDEX + "cu130", is_index_needed=True, labels=("cu",)),
    DeviceKind.XPU: TorchBuild(DeviceKind.XPU, OFFICIAL_INDEX + "xpu", is_index_needed=True, labels=("xpu",)),
}
_MAC = {
    DeviceKind.CPU: TorchBuild(DeviceKind.CPU, labels=("",)),
    DeviceKind.MPS: TorchBuild(DeviceKind.MPS, labels=("",)),
}

UNPACKED_FACTOR = {DeviceKind.CPU: 4.0, DeviceKind.MPS: 4.0, DeviceKind.CUDA: 2.2, DeviceKind.ROCM: 3.5, DeviceKind.XPU: 3.0}
"""Bytes on the disk for each byte of download, as guessed before the download; afterwards the packages themselves say it."""


def torch_builds(platform: str) -> dict[DeviceKind, TorchBuild]:
    """The builds for a system (as ``sys.platform``)."""
    return {"win32": _WINDOWS, "darwin": _MAC}.get(platform, _LINUX)


def suits(build: TorchBuild, version: str) -> bool:
    """Whether an installed torch of ``version`` (as ``2.13.0+cu130``) is ``build``."""
    label = version.partition("+")[2]
    return any(label.startswith(each) if each else not label for each in build.labels)
