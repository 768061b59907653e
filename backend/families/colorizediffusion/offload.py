"""Which networks are on the device while: all of them, or in turns when its memory is short."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn

from backend.families.colorizediffusion.checkpoint.loader import Parts
from backend.families.runtime.memory_plan import MemoryPlan, estimate_memory, free_memory, plan_memory

CPU = "cpu"


@dataclass(frozen=True)
class ModuleGroups:
    """The networks by when they work."""

    stepping: tuple[nn.Module, ...]
    """At every step."""
    others: tuple[nn.Module, ...]
    """Before and after the steps."""


def module_groups(parts: Parts) -> ModuleGroups:
    """Of a checkpoint, as its version says."""
    stepping = parts.version.stepping
    return ModuleGroups(
        tuple(network for part, network in parts.networks.items() if part in stepping),
        tuple(network for part, network in parts.networks.items() if part not in stepping),
    )


def plan_offload(parts: Parts, device: torch.device, side: int, rows: int) -> MemoryPlan:
    """What gives way for an image of side^2 pixels with ``rows`` in a batch; nothing where the free memory is not known.

    Weights that are on the device already need no more of its memory.  LinewashError OUT_OF_MEMORY when nothing helps.
    """
    free = free_memory(str(device))
    if free is None:
        return MemoryPlan(offload=False, tiling=False, side=side)
    groups = module_groups(parts)
    width = next(parts.sketch_encoder.parameters()).element_size()
    need = estimate_memory(_bytes(groups.stepping), _bytes(groups.others), side, rows, width, parts.vae.dtype.itemsize)
    on_device = [network for network in parts.networks.values() if _device(network).type == device.type]
    return plan_memory(free + _bytes(on_device), need, side, can_offload=device.type != CPU)


def offload(active: Iterable[nn.Module], waiting: Iterable[nn.Module], device: torch.device) -> None:
    """Bring ``active`` networks onto the device, after the ``waiting`` ones have left it for main memory."""
    for network in waiting:
        network.to(CPU)
    for network in active:
        network.to(device)


def _bytes(networks: Iterable[nn.Module]) -> int:
    return sum(weight.numel() * weight.element_size() for network in networks for weight in network.parameters())


def _device(network: nn.Module) -> torch.device:
    return next(network.parameters()).device
