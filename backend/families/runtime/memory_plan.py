"""In what number format a diffusion model of Stable Diffusion's size computes, and what gives way when memory is short."""

import math
from dataclasses import dataclass

import torch

from shared.errors import ErrorCode, LinewashError

SAMPLING_VALUES_PER_PIXEL = 280
"""Numbers that a step of the U-Net holds at its peak, a pixel of the picture and row of the batch (measured: up to 278)."""
DECODING_VALUES_PER_PIXEL = 1450
"""Numbers that the VAE's decoder holds at its peak, for each pixel (measured: 1070 to 1460)."""
TILE_SIDE = 256
"""Side of the pieces that tiled decoding takes, pixels."""
MIN_SIDE = 256
"""Side below which no picture is made smaller."""
USABLE_SHARE = 0.9
"""Share of the free memory that is counted on: allocators lose some, and others take some meanwhile."""


def compute_dtype(device: str, has_bfloat16: bool) -> torch.dtype:
    """The type of the large networks on a device as torch names it (cpu, cuda, cuda:1, mps).

    CUDA: bfloat16 where the card has it, else float16.  MPS: float16.  CPU: bfloat16, which halves the memory.
    """
    kind = device.split(":")[0]
    if kind == "cuda":
        return torch.bfloat16 if has_bfloat16 else torch.float16
    return torch.float16 if kind == "mps" else torch.bfloat16


@dataclass(frozen=True)
class MemoryNeed:
    """What a picture asks of a device's memory, bytes.

    denoiser: weights of what every step needs.  others: weights of what is needed before and after (CLIP, VAE).  sampling,
    decoding: what a step and the decoder hold besides weights, at the full size.
    """

    denoiser: int
    others: int
    sampling: int
    decoding: int


@dataclass(frozen=True)
class MemoryPlan:
    """What gives way.  offload: parts wait in main memory while others work.  side: of the square with as many pixels as the
    picture.  said: the sentence for the painter, '' when nothing gives way.
    """

    offload: bool
    tiling: bool
    side: int
    message: str = ""


def estimate_memory(denoiser: int, others: int, side: int, rows: int, width: int = 2, decoder_width: int = 4) -> MemoryNeed:
    """The need of a picture of side^2 pixels whose steps run ``rows`` in a batch; widths are bytes a number."""
    pixels = side * side
    return MemoryNeed(
        denoiser, others, SAMPLING_VALUES_PER_PIXEL * pixels * rows * width, DECODING_VALUES_PER_PIXEL * pixels * decoder_width
    )


def plan_memory(free: int, wanted: MemoryNeed, side: int, can_offload: bool) -> MemoryPlan:
    """What must give way so that the picture fits into ``free`` bytes: parts wait outside, then tiles, then a smaller size.

    The costs rise in that order: time, a little time, sharpness.  can_offload: the device is not main memory itself.  Raises
    LinewashError OUT_OF_MEMORY when even the smallest picture does not fit.
    """
    usable = int(free * USABLE_SHARE)
    for offload, tiling in ((False, False), (True, False), (True, True)) if can_offload else ((False, False), (False, True)):
        if _peak_memory(wanted, side, side, offload, tiling) <= usable:
            return MemoryPlan(offload, tiling, side, _describe(offload, tiling, side, side))
    for smaller in range((side - 1) // 64 * 64, MIN_SIDE - 1, -64):
        if _peak_memory(wanted, side, smaller, can_offload, True) <= usable:
            return MemoryPlan(can_offload, True, smaller, _describe(can_offload, True, side, smaller))
    least = _peak_memory(wanted, side, min(side, MIN_SIDE), can_offload, True)
    raise LinewashError(ErrorCode.OUT_OF_MEMORY, f"{least / 1e9:.1f} GB are needed, {usable / 1e9:.1f} GB are free")


def free_memory(device: str) -> int | None:
    """Free bytes of a device, None where nobody tells (main memory of other systems than Linux).

    On CUDA what torch holds in reserve counts as free.
    """
    kind = device.split(":")[0]
    if kind == "cuda":
        reserve = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + reserve
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
        return math.ceil(max(wanted.denoiser + sampling, wanted.others + decoding))
    return math.ceil(wanted.denoiser + wanted.others + max(sampling, decoding))


def _describe(offload: bool, tiling: bool, side: int, smaller: int) -> str:
    parts = []
    if offload:
        parts.append("parts of the model take turns, which is slower")
    if tiling:
        parts.append("the picture is put together from tiles")
    if smaller < side:
        parts.append(f"it is painted at {smaller} pixels instead of {side}")
    return "Memory is short: %s." % ", ".join(parts) if parts else ""


def _free_main_memory() -> int | None:
    try:
        with open("/proc/meminfo", encoding="ascii") as file:  # noqa: PTH123  no path of the user's
            lines = dict(line.split(":", 1) for line in file)
        return int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return None
