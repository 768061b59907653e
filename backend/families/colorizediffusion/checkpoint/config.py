"""What the shapes of a checkpoint's tensors do not tell of its networks."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal, get_args

from backend.families.diffusion.denoiser import Prediction
from backend.weights.state_dict import read_sidecar_json
from shared.errors import ErrorCode, LinewashError

BackgroundContext = Literal["reference", "background"]
"""Whose tokens v2's background encoder attends to: the main reference's, as in the published program, or the background's own,
as in the paper (spec 13 and 21.4)."""
_WORDS = {"background_context": get_args(BackgroundContext), "prediction": get_args(Prediction)}
"""The fields that are words, and which these may be; all others are numbers."""


@dataclass(frozen=True)
class NetworkConfig:
    """Attention heads, normalization groups, and what was learned with.  The defaults are those of the published files."""

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
    sketch_head_dim: int = 128
    """Channels of one attention head of XL's sketch encoder."""
    size_waves: int = 256
    """Numbers that XL's U-Net is told of each size and score."""
    tagger_side: int = 448
    """Side of the image that XL's tagger sees, in pixels."""
    tagger_window: int = 14
    """Side of the windows in which XL's tagger attends, in patches."""
    background_context: BackgroundContext = "reference"
    """Whose tokens v2's background encoder learned to attend to."""
    prediction: Prediction | None = None
    """What the U-Net predicts; None: what the file's name says."""


def read_config(checkpoint: Path) -> NetworkConfig:
    """The configuration beside a checkpoint (``NAME.json`` for ``NAME.safetensors``); the defaults when there is none.

    Raises LinewashError MODEL_KEYS when the file is not a JSON object of these names, with positive whole numbers, or the
    words of ``_WORDS``.
    """
    values, names = read_sidecar_json(checkpoint), {field.name for field in fields(NetworkConfig)}
    if not set(values) <= names:
        raise LinewashError(ErrorCode.MODEL_KEYS, f"{checkpoint.stem}.json: not an object of {', '.join(sorted(names))}")
    for name, words in _WORDS.items():
        if name in values and values[name] not in words:
            raise LinewashError(ErrorCode.MODEL_KEYS, f"{checkpoint.stem}.json: {name} is {' or '.join(words)}")
    numbers = (value for name, value in values.items() if name not in _WORDS)
    if not all(type(value) is int and value > 0 for value in numbers):
        raise LinewashError(ErrorCode.MODEL_KEYS, f"{checkpoint.stem}.json: not positive whole numbers")
    return NetworkConfig(**values)
