"""Loads published segmentation weights, whose names may have a prefix and which may hold more than inference needs."""

from collections.abc import Callable, Iterable
from pathlib import Path

import torch

from backend.families.runtime.devices import Network, on_device
from backend.weights.safetensors_file import SafetensorsFile
from backend.weights.state_dict import Shapes, WeightSource, build_on_meta, check_state_dict, load_state_dict


def load_published(
    path: Path,
    find_prefix: Callable[[Iterable[str]], str],
    build: Callable[[Shapes, str], Network],
    ignored: Callable[[str], bool],
    device: str,
) -> Network:
    """The network with the weights of ``path``, float32, frozen, called with tensors on the CPU (see ``on_device``).

    find_prefix: what stands before the network's own names, from all names of the file.  build: the network, from the file's
    shapes and that prefix.  ignored: whether a name, after the prefix or without it, is of no use to the network.

    Raises LinewashError: what ``SafetensorsFile`` raises, MODEL_KEYS with names that are missing, unexpected or of another
    shape.
    """
    with SafetensorsFile(path) as file:
        prefix = find_prefix(file.entries)
        network = build_on_meta(lambda: build(file.shapes, prefix))

        def source_of(key: str) -> WeightSource:
            return WeightSource(prefix + key)

        unread = [name for name in file.entries if ignored(name.removeprefix(prefix))]
        check_state_dict(file, [(network, source_of)], unread)
        load_state_dict(file, network, source_of, _dtype_of, device)
    return on_device(network, device)


def _dtype_of(key: str) -> torch.dtype:
    """The counter of batch normalization is the only integer."""
    return torch.int64 if key.endswith("num_batches_tracked") else torch.float32
