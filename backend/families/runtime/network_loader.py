"""Builds a network of a shipped model and loads its weights."""

import torch

from backend.families.runtime.devices import Network, on_device
from backend.weights.shipped_model import ModelFolder
from shared.errors import ErrorCode, LinewashError


def load_network(folder: ModelFolder, part: str, build: type[Network], device: str = "cpu") -> Network:
    """The ``part`` of a model, float32, channels last, called with tensors on the CPU (see ``on_device``).

    Raises LinewashError MODEL_MISSING or MODEL_CORRUPT.
    """
    network = build(**folder.config()[part])
    try:
        network.load_state_dict({name: tensor.float() for name, tensor in folder.tensors(part).items()})
    except RuntimeError as error:  # torch lists names and shapes that do not fit
        raise LinewashError(ErrorCode.MODEL_CORRUPT, f"{part}: {error}") from error
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return on_device(network, device)
