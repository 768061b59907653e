"""The memory plan of a diffusion model of Stable Diffusion's size."""

import ctypes
import math
import sys
from dataclasses import dataclass

import torch

from shared.errors import ErrorCode, LinewashError

SAMPLING_VALUES_PER_PIXEL = 280
"""Numbers that a step of the U-Net holds at its peak, per pixel of the image and row of the batch (measured: up to 278)."""
DECODING_VALUES_PER_PIXEL = 1450
"""Numbers that the VAE's decoder holds at its peak, per pixel (measured: 1070 to 1460)."""
TILE_SIDE = 256
"""Side of the tiles of tiled decoding, pixels."""
MIN_SIDE = 256
"""Side below which no plan makes an image smaller, pixels."""
USABLE_SHARE = 0.9
"""Share of the free memory that a plan counts on: allocators lose some, and other programs may take some meanwhile."""


@dataclass(frozen=True)
class MemoryNeed:
    """What an image needs of a device's memory, bytes."""

    denoiser: int
    """Weights of the networks that every step runs."""
    others: int
    """Weights of the networks that run before and after the steps (CLIP, VAE)."""
    sampling: int
    """What a step holds besides weights, at the full size."""
    decoding: int
    """What the decoder holds besides weights, at the full size."""


@dataclass(frozen=True)
class MemoryPlan:
    """How an image is computed in the memory there is."""

    offload: bool
    """Parts of the model wait in main memory while others compute."""
    tiling: bool
    """The image is decoded tile by tile."""
    side: int
    """Side of the square with as many pixels as the image."""
    message: str = ""
    """A sentence for the painter; '' when nothing had to be saved."""


def estimate_memory(denoiser: int, others: int, side: int, rows: int, width: int = 2, decoder_width: int = 4) -> MemoryNeed:
    """The need of an image of side^2 pixels whose steps run a batch of ``rows``; widths are bytes per number."""
    pixels = side * side
    return MemoryNeed(
        denoiser, others, SAMPLING_VALUES_PER_PIXEL * pixels * rows * width, DECODING_VALUES_PER_PIXEL * pixels * decoder_width
    )


def plan_memory(free: int, wanted: MemoryNeed, side: int, can_offload: bool) -> MemoryPlan:
    """The plan that saves least while the image fits into ``free`` bytes: offloading, then tiles too, then a smaller size too.

    The costs rise in that order: time, a little more time, sharpness.  can_offload: the device is not main memory itself.

    Raises LinewashError OUT_OF_MEMORY: when even the smallest image does not fit.
    """
    usable = int(free * USABLE_SHARE)
    # the full size first: of the ways to save memory it is the last that costs sharpness
    for offload, tiling in ((False, False), (True, False), (True, True)) if can_offload else ((False, False), (False, True)):
        if _peak_memory(wanted, side, side, offload, tiling) <= usable:
            return MemoryPlan(offload, tiling, side, _describe(offload, tiling, side, side))
    # sides stay multiples of 64, as the VAE and the U-Net need them
    for smaller in range((side - 1) // 64 * 64, MIN_SIDE - 1, -64):
        if _peak_memory(wanted, side, smaller, can_offload, True) <= usable:
            return MemoryPlan(can_offload, True, smaller, _describe(can_offload, True, side, smaller))
    least = _peak_memory(wanted, side, min(side, MIN_SIDE), can_offload, True)
    raise LinewashError(ErrorCode.OUT_OF_MEMORY, f"{least / 1e9:.1f} GB are needed, {usable / 1e9:.1f} GB are free")


def fits(free: int | None, wanted: MemoryNeed, side: int) -> bool:
    """Whether an image of side^2 pixels fits into ``free`` bytes of main memory as it is; None, not known, counts as enough."""
    return free is None or _peak_memory(wanted, side, side, offload=False, tiling=False) <= int(free * USABLE_SHARE)


def free_memory(device: str) -> int | None:
    """Free bytes of a device, None where they are not known (main memory of a Mac).

    On graphics cards, memory that torch has reserved but not allocated counts as free.
    """
    kind = device.split(":")[0]
    if kind == "cuda":
        reserve = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + reserve
    if kind == "xpu":
        # The driver need not tell what other programs hold.
        return torch.xpu.get_device_properties(device).total_memory - torch.xpu.memory_allocated(device)
    if kind == "mps":
        return torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
    return _free_main_memory()


def _peak_memory(wanted: MemoryNeed, side: int, smaller: int, offload: bool, tiling: bool) -> int:
    share = (smaller / side) ** 2
    decoding = wanted.decoding * share
    if tiling:
        decoding = min(decoding, wanted.decoding * (TILE_SIDE / side) ** 2)
    sampling = wanted.sampling * share
    if offload:
        # The two groups of networks take turns, so the needier one counts.
        return math.ceil(max(wanted.denoiser + sampling, wanted.others + decoding))
    return math.ceil(wanted.denoiser + wanted.others + max(sampling, decoding))


def _describe(offload: bool, tiling: bool, side: int, smaller: int) -> str:
    parts = []
    if offload:
        parts.append("parts of the model take turns, which is slower")
    if tiling:
        parts.append("the image is put together from tiles")
    if smaller < side:
        parts.append(f"it is painted at {smaller} pixels instead of {side}")
    return "Memory is short: %s." % ", ".join(parts) if parts else ""


def _free_main_memory() -> int | None:
    if sys.platform == "win32":
        status = _MemoryStatus()
        status.length = ctypes.sizeof(status)
        return status.available if ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)) else None
    try:
        with open("/proc/meminfo", encoding="ascii") as file:  # noqa: PTH123  no path of the user's
            lines = dict(line.split(":", 1) for line in file)
        return int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return None


class _MemoryStatus(ctypes.Structure):
    """What Windows' ``GlobalMemoryStatusEx`` fills in; sizes are bytes."""

    length: int
    available: int
    _fields_ = (
        ("length", ctypes.c_uint32),
        ("load", ctypes.c_uint32),
        ("total", ctypes.c_uint64),
        ("available", ctypes.c_uint64),
        ("others", ctypes.c_uint64 * 5),
    )
