"""Offloading: when the device's memory is short, networks that are not in use wait in main memory."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn

from backend.families.colorizediffusion.checkpoint.loader import Parts
from backend.families.runtime.memory_plan import MemoryPlan, estimate_memory, free_memory, plan_memory

CPU = "cpu"


@dataclass(frozen=True)
class ModuleGroups:
    """The networks of a checkpoint, grouped by when they compute."""

    step: tuple[nn.Module, ...]
    """Compute at every step."""
    other: tuple[nn.Module, ...]
    """Compute before and after the steps."""


def module_groups(parts: Parts) -> ModuleGroups:
    """The groups, according to ``Version.step_parts``."""
    step_parts = parts.version.step_parts
    return ModuleGroups(
        tuple(network for part, network in parts.networks.items() if part in step_parts),
        tuple(network for part, network in parts.networks.items() if part not in step_parts),
    )


def plan_offload(parts: Parts, device: torch.device, side: int, rows: int) -> MemoryPlan:
    """How to fit into the device's memory with an image of side^2 pixels and ``rows`` rows in a batch.

    Where the free memory is unknown, nothing is offloaded.  Raises LinewashError OUT_OF_MEMORY when no plan fits.
    """
    free = free_memory(str(device))
    if free is None:
        return MemoryPlan(offload=False, tiling=False, side=side)
    groups = module_groups(parts)
    width = next(parts.sketch_encoder.parameters()).element_size()
    need = estimate_memory(_bytes(groups.step), _bytes(groups.other), side, rows, width, parts.vae.dtype.itemsize)
    # Weights that are on the device already need no more of its memory.
    on_device = [network for network in parts.networks.values() if _device(network).type == device.type]
    return plan_memory(free + _bytes(on_device), need, side, can_offload=device.type != CPU)


def offload(active: Iterable[nn.Module], idle: Iterable[nn.Module], device: torch.device) -> None:
    """Move ``idle`` networks to main memory, then ``active`` ones to the device."""
    # The idle ones make room first.
    for network in idle:
        network.to(CPU)
    for network in active:
        network.to(device)


def _bytes(networks: Iterable[nn.Module]) -> int:
    return sum(weight.numel() * weight.element_size() for network in networks for weight in network.parameters())


def _device(network: nn.Module) -> torch.device:
    return next(network.parameters()).device
