"""Converts a pickled checkpoint to a safetensors file without running any code in it."""

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

PICKLE_SUFFIXES = (".ckpt", ".pth", ".pt")
NESTED_KEYS = ("state_dict", "diffusion_state_dict")
"""Where training programs put the weights in a file that holds more: most, and AnimeDiffusion's older ones."""
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
"""What torch's reader raises, besides UnpicklingError, for a file that is cut short or damaged."""


def convert(source: Path, target: Path) -> int:
    """Write the tensors of pickle ``source`` to ``target`` and return how many there were.

    torch's restricted loader reads tensors and plain containers and refuses everything else.  The tensors are the file's own
    object or one of ``NESTED`` in it; numbers and texts beside them are left out.  ``target`` appears whole or not at all.

    Raises LinewashError: MODEL_MISSING when ``source`` cannot be opened, MODEL_UNSAFE when it holds more than that,
    MODEL_UNREADABLE when it is no pickle or holds no tensors, DISK_FULL when ``target`` cannot be written.
    """
    tensors = _extract_tensors(_load_pickle(source))
    if not tensors:
        raise LinewashError(ErrorCode.MODEL_UNREADABLE, f"{source.name} holds no tensors")
    try:
        with replace_atomically(target) as part:
            save_file(tensors, part)
    except (SafetensorError, OSError) as error:  # writing sound tensors fails for want of room or permission
        raise LinewashError(ErrorCode.DISK_FULL, f"{target}: {error}") from error
    return len(tensors)


def _load_pickle(source: Path) -> Any:
    try:
        with source.open("rb") as file:
            pickled = file.read(len(max(PICKLE_SIGNATURES, key=len))).startswith(PICKLE_SIGNATURES)
        if not pickled:
            raise LinewashError(ErrorCode.MODEL_UNREADABLE, f"{source.name} is no file of torch.save")
        return torch.load(source, map_location="cpu", weights_only=True)
    except OSError as error:
        raise LinewashError(ErrorCode.MODEL_MISSING, f"{source}: {error.strerror}") from error
    except pickle.UnpicklingError as error:  # something that is neither a tensor nor plain data
        raise LinewashError(ErrorCode.MODEL_UNSAFE, f"{source.name}: {error}") from error
    except READ_ERRORS as error:
        raise LinewashError(ErrorCode.MODEL_UNREADABLE, f"{source.name}: {error}") from error


def _extract_tensors(loaded: Any) -> dict[str, Tensor]:
    """Name -> tensor of a flat dictionary or of one of ``NESTED`` in it; each with memory of its own."""
    if not isinstance(loaded, Mapping):
        return {}
    found = cast(Mapping[Any, Any], loaded)
    inner = (found.get(name) for name in NESTED_KEYS)
    named = next((cast(Mapping[Any, Any], each) for each in inner if isinstance(each, Mapping)), found)
    seen: set[int] = set()
    tensors: dict[str, Tensor] = {}
    for name, value in named.items():
        if isinstance(value, Tensor):
            # safetensors refuses memory that two tensors share
            place = value.untyped_storage().data_ptr()
            shared = place in seen or not value.is_contiguous() or value.untyped_storage().nbytes() != value.nbytes
            tensors[str(name)] = value.detach().clone(memory_format=torch.contiguous_format) if shared else value.detach()
            seen.add(place)
    return tensors
