"""Texts are read as the published networks were taught to: a small tokenizer, and the golden vectors' text tower."""

import json
from pathlib import Path

import pytest
import torch

from backend.families.colorizediffusion.text.text_reader import TEXT_TOKENS, TextReader
from tests.parity.golden import golden

PROMPTS = ("the girl's blonde hair", "the girl's brown hair", "a blue sky")
NUMBERS = {
    "the": 518,
    "girl": 1611,
    "'s": 568,
    "blonde": 10711,
    "brown": 2866,
    "hair": 2225,
    "a": 320,
    "blue": 1746,
    "sky": 2390,
}
"""What CLIP's own vocabulary has for these words."""
BEGIN, END = 49406, 49407


def write_tokenizer(folder: Path) -> Path:
    """CLIP's vocabulary of these words alone: each is put together letter by letter."""
    vocabulary, merges = {"<|startoftext|>": BEGIN, "<|endoftext|>": END}, list[str]()
    for word, number in NUMBERS.items():
        letters = [*word[:-1], f"{word[-1]}</w>"]
        for letter in letters:
            vocabulary.setdefault(letter, 20000 + len(vocabulary))
        whole = letters[0]
        for letter in letters[1:]:
            if f"{whole} {letter}" not in merges:
                merges.append(f"{whole} {letter}")
            whole += letter
            vocabulary.setdefault(whole, 20000 + len(vocabulary))
        vocabulary[whole] = number
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges, ""]))
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "CLIPTokenizer", "model_max_length": TEXT_TOKENS})
    )
    return folder


@pytest.fixture
def reader(tmp_path: Path) -> TextReader:
    return TextReader(golden("v1").sd, write_tokenizer(tmp_path), "cpu")


def test_ids_are_those_of_clip_s_own_tokenizer(reader: TextReader) -> None:
    ids = reader.ids(list(PROMPTS))
    assert torch.equal(ids, golden("v1").inputs["text_tokens"])
    assert (ids[0, 7:] == 0).all()  # transformers repeats the end of text there


def test_features_are_those_of_the_published_program(reader: TextReader) -> None:
    features, wanted = reader(list(PROMPTS)), golden("v1").outputs["text"]
    assert features.shape == wanted.shape
    torch.testing.assert_close(features, wanted, atol=1e-4, rtol=0)
    torch.testing.assert_close(features.norm(dim=-1), torch.ones(3, 1))


def test_a_long_text_is_cut_and_still_has_an_end(reader: TextReader) -> None:
    ids = reader.ids(["blue " * 100])
    assert ids.shape == (1, TEXT_TOKENS)
    assert ids[0].tolist() == [BEGIN, *[NUMBERS["blue"]] * 75, END]
