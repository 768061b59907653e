"""A checkpoint in the models folder becomes a family that colors."""

from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import CLIPTokenizer

from backend.contract.family import ForegroundSegmenter, ModelSpec
from backend.families.colorizediffusion.family import ColorizeDiffusion
from backend.families.colorizediffusion.loader import Parts, load_parts, load_text
from backend.families.colorizediffusion.text_editing import ReadTexts
from backend.families.runtime.memory_plan import compute_dtype
from backend.networks.clip import TextEncoder
from backend.weights.companions import Companions

WORDS = 77
"""Tokens of a text (spec 5)."""


def load_family(
    spec: ModelSpec, path: Path, companions: Companions, device: str, segmenter: ForegroundSegmenter
) -> ColorizeDiffusion:
    """The checkpoint at ``path``, ready to color.  Raises LinewashError: see ``load_parts``.

    It is read into main memory; each picture then brings to ``device`` what its plan has room for.
    """
    has_bfloat16 = device.startswith("cuda") and torch.cuda.is_bf16_supported(including_emulation=False)
    parts = with_fast_convolutions(load_parts(path, companions, compute_dtype(device, has_bfloat16)))
    return ColorizeDiffusion(spec, parts, segmenter, _reader(parts), device)


def with_fast_convolutions(parts: Parts) -> Parts:
    """The same networks with channels last, which convolutions like better: docs/performance.md has what it saves."""
    for network in (parts.unet, parts.sketch_encoder, parts.vae):
        convolutional: Any = network
        convolutional.to(memory_format=torch.channels_last)
    return parts


class TextReader:
    """Texts to features; the text tower, 1.4 GB, is loaded when the first text is read."""

    def __init__(self, text: Path, tokenizer: Path, device: str) -> None:
        self._text, self._folder, self._device = text, tokenizer, device

    def __call__(self, texts: list[str]) -> Tensor:
        """(B, 1, C) L2-normalized; a text of more than 75 words and signs is cut.  LinewashError as of ``load_text``."""
        with torch.inference_mode():
            return self._encoder(self.ids(texts).to(self._device))

    def ids(self, texts: list[str]) -> Tensor:
        """(B, 77) as CLIP's own tokenizer gives them: zeros after the end of text, where transformers repeats that."""
        ids = self._tokenizer(texts, padding="max_length", max_length=WORDS, truncation=True, return_tensors="pt")["input_ids"]
        ends = (ids == self._tokenizer.eos_token_id).int().argmax(1, keepdim=True)
        return ids.masked_fill(torch.arange(WORDS) > ends, 0)

    @cached_property
    def _tokenizer(self) -> CLIPTokenizer:
        return CLIPTokenizer.from_pretrained(str(self._folder), local_files_only=True)

    @cached_property
    def _encoder(self) -> TextEncoder:
        return load_text(self._text, self._device)


def _reader(parts: Parts) -> ReadTexts | None:
    if parts.text is None or parts.tokenizer is None:
        return None
    return TextReader(parts.text, parts.tokenizer, "cpu")
