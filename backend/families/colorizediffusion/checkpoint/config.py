"""What the shapes of a checkpoint do not tell about its networks."""

from dataclasses import dataclass, fields
from pathlib import Path

from backend.weights.state_dict import read_sidecar_json
from shared.errors import ErrorCode, LinewashError


@dataclass(frozen=True)
class NetworkConfig:
    """Numbers of heads and groups; the defaults are those of the published files."""

    head_dim: int = 64
    groups: int = 32
    vae_groups: int = 32
    vision_heads: int = 16
    text_heads: int = 16
    token_head_dim: int = 64


def read_config(checkpoint: Path) -> NetworkConfig:
    """The configuration beside a checkpoint (``NAME.json`` for ``NAME.safetensors``), the defaults when there is none.

    Raises LinewashError MODEL_KEYS when the file is not a JSON object of known names and positive whole numbers.
    """
    numbers, known = read_sidecar_json(checkpoint), {field.name for field in fields(NetworkConfig)}
    if not set(numbers) <= known:
        raise LinewashError(ErrorCode.MODEL_KEYS, f"{checkpoint.stem}.json: not an object of {', '.join(sorted(known))}")
    if not all(type(value) is int and value > 0 for value in numbers.values()):
        raise LinewashError(ErrorCode.MODEL_KEYS, f"{checkpoint.stem}.json: not positive whole numbers")
    return NetworkConfig(**numbers)
