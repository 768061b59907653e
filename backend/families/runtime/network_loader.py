"""A network of a family, built and filled from the family's model folder, on the device that shall compute it."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn

from backend.weights.shipped_model import ModelFolder
from shared.errors import ErrorCode, LinewashError

Network = TypeVar("Network", bound=nn.Module)
CPU = torch.device("cpu")


class DeviceProxy(nn.Module):
    """A network on another device that takes and gives tensors of the CPU: what travels is small beside what is computed."""

    def __init__(self, network: nn.Module, device: torch.device) -> None:
        super().__init__()
        self.network, self.device = network.to(device), device

    def forward(self, *given: Any) -> Any:
        """The network's own."""
        return to_device(self.network(*to_device(given, self.device)), CPU)

    def condition(self, *given: Any) -> Any:
        """The network's own, where it has one."""
        condition: Callable[..., Any] = self.network.condition  # type: ignore[assignment]
        return to_device(condition(*to_device(given, self.device)), CPU)


def load_network(folder: ModelFolder, part: str, build: type[Network], device: str = "cpu") -> Network:
    """The ``part`` of a model, float32, channels last.  Raises LinewashError MODEL_MISSING or MODEL_CORRUPT."""
    network = build(**folder.config()[part])
    try:
        network.load_state_dict({k: v.float() for k, v in folder.tensors(part).items()})
    except RuntimeError as error:  # torch lists names and shapes that do not fit
        raise LinewashError(ErrorCode.MODEL_CORRUPT, f"{part}: {error}") from error
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if device == "cpu":
        return network
    return cast(Network, DeviceProxy(network, torch.device(device)))  # it is called like one


def to_device(value: Any, device: torch.device) -> Any:
    """Tensors, in tuples and named tuples of any depth, on ``device``; everything else as it is."""
    if isinstance(value, Tensor):
        return value.to(device)
    if isinstance(value, tuple):
        parts = [to_device(part, device) for part in value]  # type: ignore[arg-type]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return value
