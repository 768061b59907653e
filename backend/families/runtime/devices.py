"""Networks on a device while the code around them works with tensors in main memory."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)
CPU = torch.device("cpu")


class DeviceProxy(nn.Module):
    """A network on a device that takes and returns tensors on the CPU.

    Inputs and outputs are small beside what the network computes of them, so the copies cost little.
    """

    def __init__(self, network: nn.Module, device: torch.device) -> None:
        super().__init__()
        self.network, self.device = network.to(device), device

    def forward(self, *inputs: Any) -> Any:
        """See the network's own."""
        return to_device(self.network(*to_device(inputs, self.device)), CPU)

    def condition(self, *inputs: Any) -> Any:
        """See the network's own, where it has one."""
        condition: Callable[..., Any] = self.network.condition  # type: ignore[assignment]
        return to_device(condition(*to_device(inputs, self.device)), CPU)


def on_device(network: Network, device: str) -> Network:
    """The network on a device as torch names it, called with tensors on the CPU; itself where the device is the CPU."""
    if device == "cpu":
        return network
    return cast(Network, DeviceProxy(network, torch.device(device)))  # a proxy is called like the network


def to_device(value: Any, device: torch.device) -> Any:
    """Tensors, in tuples and named tuples of any depth, on ``device``; everything else unchanged."""
    if isinstance(value, Tensor):
        return value.to(device)
    if isinstance(value, tuple):
        parts = [to_device(part, device) for part in value]  # type: ignore[arg-type]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return value
