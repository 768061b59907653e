"""Hyperparameters of the networks that cannot be read from the shapes of a checkpoint's tensors."""

from dataclasses import dataclass, fields
from pathlib import Path

from backend.weights.state_dict import read_sidecar_json
from shared.errors import ErrorCode, LinewashError


@dataclass(frozen=True)
class NetworkConfig:
    """Attention heads and normalization groups.  The defaults are those of the published files."""

    head_dim: int = 64
    """Channels of one attention head of the U-Net."""
    groups: int = 32
    """Groups of the U-Net's group normalization."""
    vae_groups: int = 32
    """Groups of the VAE's group normalization."""
    vision_heads: int = 16
    """Attention heads of CLIP's vision tower."""
    text_heads: int = 16
    """Attention heads of CLIP's text tower."""
    token_head_dim: int = 64
    """Channels of one attention head of v1.5's token transformer."""


def read_config(checkpoint: Path) -> NetworkConfig:
    """The configuration beside a checkpoint (``NAME.json`` for ``NAME.safetensors``); the defaults when there is none.

    Raises LinewashError MODEL_KEYS when the file is not a JSON object of these names and positive whole numbers.
    """
    numbers, names = read_sidecar_json(checkpoint), {field.name for field in fields(NetworkConfig)}
    if not set(numbers) <= names:
        raise LinewashError(ErrorCode.MODEL_KEYS, f"{checkpoint.stem}.json: not an object of {', '.join(sorted(names))}")
    if not all(type(value) is int and value > 0 for value in numbers.values()):
        raise LinewashError(ErrorCode.MODEL_KEYS, f"{checkpoint.stem}.json: not positive whole numbers")
    return NetworkConfig(**numbers)
