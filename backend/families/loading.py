"""A network of a family, built and filled from the family's model folder."""

from typing import TypeVar

import torch
from torch import nn

from backend.weights.folder import ModelFolder
from shared.errors import ErrorCode, LinewashError

Network = TypeVar("Network", bound=nn.Module)


def load_network(folder: ModelFolder, part: str, build: type[Network]) -> Network:
    """The ``part`` of a model, float32, channels last.  Raises LinewashError MODEL_MISSING or MODEL_CORRUPT."""
    network = build(**folder.config()[part])
    try:
        network.load_state_dict({k: v.float() for k, v in folder.tensors(part).items()})
    except RuntimeError as error:  # torch lists names and shapes that do not fit
        raise LinewashError(ErrorCode.MODEL_CORRUPT, f"{part}: {error}") from error
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
