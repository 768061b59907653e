"""Encodes texts with CLIP's text tower."""

from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor
from transformers import CLIPTokenizer

from backend.families.colorizediffusion.checkpoint.loader import load_text
from backend.networks.clip import TextEncoder

TEXT_TOKENS = 77
"""Length of a tokenized text (spec 5)."""


class TextReader:
    """Encodes texts as features.  The text tower (1.4 GB) is loaded when the first text is encoded."""

    def __init__(self, weights: Path, tokenizer: Path, device: str) -> None:
        self._weights, self._folder, self._device = weights, tokenizer, device

    def __call__(self, texts: list[str]) -> Tensor:
        """(B, 1, C) L2-normalized features; texts are cut after 75 tokens.  Raises LinewashError: see ``load_text``."""
        with torch.inference_mode():
            return self._encoder(self.ids(texts).to(self._device))

    def ids(self, texts: list[str]) -> Tensor:
        """(B, 77) token ids, padded with zeros as by CLIP's own tokenizer; transformers would repeat the end-of-text token."""
        ids = self._tokenizer(texts, padding="max_length", max_length=TEXT_TOKENS, truncation=True, return_tensors="pt")[
            "input_ids"
        ]
        # argmax finds the first of equals: the text's own end.
        ends = (ids == self._tokenizer.eos_token_id).int().argmax(1, keepdim=True)
        return ids.masked_fill(torch.arange(TEXT_TOKENS) > ends, 0)

    @cached_property
    def _tokenizer(self) -> CLIPTokenizer:
        return CLIPTokenizer.from_pretrained(str(self._folder), local_files_only=True)

    @cached_property
    def _encoder(self) -> TextEncoder:
        return load_text(self._weights, self._device)
