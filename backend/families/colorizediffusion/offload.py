"""Which networks are on the device while: all of them, or in turns when its memory is short."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn

from backend.families.colorizediffusion.loader import Parts
from backend.families.runtime.memory_plan import MemoryPlan, estimate_memory, free_memory, plan_memory

CPU = "cpu"


@dataclass(frozen=True)
class Groups:
    """The networks by when they work: at every step, or before and after."""

    stepping: tuple[nn.Module, ...]
    others: tuple[nn.Module, ...]


def module_groups(parts: Parts) -> Groups:
    """Of a checkpoint."""
    extras = (parts.threshold_embedder, parts.token_transformer)
    return Groups(
        (parts.unet,), (parts.sketch_encoder, parts.vision, parts.vae, *(each for each in extras if each is not None))
    )


def plan_offload(parts: Parts, device: torch.device, side: int, rows: int) -> MemoryPlan:
    """What gives way for a picture of side^2 pixels with ``rows`` in a batch; nothing where nobody tells how much is free.

    Weights that are on the device already are no burden.  LinewashError OUT_OF_MEMORY when nothing helps.
    """
    free = free_memory(str(device))
    if free is None:
        return MemoryPlan(offload=False, tiling=False, side=side)
    known = module_groups(parts)
    width = next(parts.sketch_encoder.parameters()).element_size()
    wanted = estimate_memory(_bytes(known.stepping), _bytes(known.others), side, rows, width, parts.vae.dtype.itemsize)
    here = sum(_bytes([each]) for each in (*known.stepping, *known.others) if _device(each).type == device.type)
    return plan_memory(free + here, wanted, side, can_offload=device.type != CPU)


def offload(active: Iterable[nn.Module], waiting: Iterable[nn.Module], device: torch.device) -> None:
    """Bring ``active`` networks onto the device, after the ``waiting`` ones have left it for main memory."""
    for network in waiting:
        network.to(CPU)
    for network in active:
        network.to(device)


def _bytes(networks: Iterable[nn.Module]) -> int:
    return sum(p.numel() * p.element_size() for network in networks for p in network.parameters())


def _device(network: nn.Module) -> torch.device:
    return next(network.parameters()).device
