"""A checkpoint in the models folder becomes a model that colors."""

from pathlib import Path
from typing import Any

import torch

from backend.contract.family import ForegroundSegmenter
from backend.families.colorizediffusion.checkpoint.loader import Parts, load_parts
from backend.families.colorizediffusion.family import ColorizeDiffusion
from backend.families.colorizediffusion.text.text_editing import ReadTexts
from backend.families.colorizediffusion.text.text_reader import TextReader
from backend.families.colorizediffusion.versions import Version
from backend.families.runtime.memory_plan import compute_dtype
from backend.weights.companions import Companions


def load_model(
    version: Version, path: Path, companions: Companions, device: str, segmenter: ForegroundSegmenter
) -> ColorizeDiffusion:
    """The checkpoint at ``path``, ready to color.  Raises LinewashError: see ``load_parts``.

    It is read into main memory; each drawing then brings to ``device`` what its plan has room for.
    """
    has_bfloat16 = device.startswith("cuda") and torch.cuda.is_bf16_supported(including_emulation=False)
    dtype = compute_dtype(device, has_bfloat16)
    parts = with_fast_convolutions(load_parts(path, companions, dtype, versions=(version,)))
    return ColorizeDiffusion(parts, segmenter, _text_reader(parts), device)


def with_fast_convolutions(parts: Parts) -> Parts:
    """The same networks with channels last, which is faster for convolutions (measured in docs/performance.md)."""
    for network in (parts.unet, parts.sketch_encoder, parts.vae):
        convolutional: Any = network
        convolutional.to(memory_format=torch.channels_last)
    return parts


def _text_reader(parts: Parts) -> ReadTexts | None:
    if parts.text is None or parts.tokenizer is None:
        return None
    return TextReader(parts.text, parts.tokenizer, "cpu")
