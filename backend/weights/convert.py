"""Converts a pickled checkpoint to a safetensors file without running any code from the pickle."""

import pickle
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from backend.weights.safetensors_file import PICKLE_SIGNATURES
from shared.atomic_file import replace_atomically
from shared.errors import ErrorCode, LinewashError

NESTED_KEYS = ("state_dict", "diffusion_state_dict")
"""Keys under which training programs nest the weights: the usual one, and that of older AnimeDiffusion checkpoints."""
READ_ERRORS = (
    RuntimeError,
    EOFError,
    ValueError,
    LookupError,
    AttributeError,
    TypeError,
    AssertionError,
    ArithmeticError,
    struct.error,
)
"""Exceptions of torch.load, besides UnpicklingError, for a truncated or damaged file."""


def convert(source: Path, target: Path) -> int:
    """Write the tensors of the pickle ``source`` to ``target`` and return their number.

    torch's restricted loader reads tensors and plain containers and refuses everything else.  The tensors are at the top level
    of the file or under one of ``NESTED_KEYS``; numbers and strings beside them are dropped.  ``target`` is written completely
    or not at all.

    Raises LinewashError: MODEL_MISSING when ``source`` cannot be opened, MODEL_UNSAFE when it contains objects that the loader
    refuses, MODEL_UNREADABLE when it is not a pickle or has no tensors, DISK_FULL when ``target`` cannot be written.
    """
    tensors = _extract_tensors(_load_pickle(source))
    if not tensors:
        raise LinewashError(ErrorCode.MODEL_UNREADABLE, f"{source.name} holds no tensors")
    try:
        with replace_atomically(target) as part:
            save_file(tensors, part)
    except (SafetensorError, OSError) as error:  # valid tensors fail to be written only for lack of space or permission
        raise LinewashError(ErrorCode.DISK_FULL, f"{target}: {error}") from error
    return len(tensors)


def _load_pickle(source: Path) -> Any:
    try:
        with source.open("rb") as file:
            is_pickle = file.read(len(max(PICKLE_SIGNATURES, key=len))).startswith(PICKLE_SIGNATURES)
        if not is_pickle:
            raise LinewashError(ErrorCode.MODEL_UNREADABLE, f"{source.name} is no file of torch.save")
        return torch.load(source, map_location="cpu", weights_only=True)
    except OSError as error:
        raise LinewashError(ErrorCode.MODEL_MISSING, f"{source}: {error.strerror}") from error
    except pickle.UnpicklingError as error:  # an object that is neither a tensor nor plain data
        raise LinewashError(ErrorCode.MODEL_UNSAFE, f"{source.name}: {error}") from error
    except READ_ERRORS as error:
        raise LinewashError(ErrorCode.MODEL_UNREADABLE, f"{source.name}: {error}") from error


def _extract_tensors(loaded: Any) -> dict[str, Tensor]:
    """Name -> tensor, from the top level or from under one of ``NESTED_KEYS``; no two tensors share memory."""
    if not isinstance(loaded, Mapping):
        return {}
    root = cast(Mapping[Any, Any], loaded)
    children = (root.get(key) for key in NESTED_KEYS)
    weights = next((cast(Mapping[Any, Any], child) for child in children if isinstance(child, Mapping)), root)
    addresses: set[int] = set()
    tensors: dict[str, Tensor] = {}
    for name, value in weights.items():
        if isinstance(value, Tensor):
            # safetensors refuses tensors that share memory
            address = value.untyped_storage().data_ptr()
            shared = address in addresses or not value.is_contiguous() or value.untyped_storage().nbytes() != value.nbytes
            tensors[str(name)] = value.detach().clone(memory_format=torch.contiguous_format) if shared else value.detach()
            addresses.add(address)
    return tensors
