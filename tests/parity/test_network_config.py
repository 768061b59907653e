"""The configuration beside a checkpoint: what it may say, and what is meant without one."""

import json
from pathlib import Path

import pytest

from backend.families.colorizediffusion.checkpoint.config import NetworkConfig, read_config
from shared.errors import ErrorCode
from tests.parity.files import copy_of
from tests.parity.test_loading import refused

SENSELESS = ["", "[]", "{", '{"head_dim": 0}', '{"head_dim": "8"}', '{"heads": 8}', '{"head_dim": true}', '{"groups": 7}']
WRONG_WORDS = ['{"prediction": "x"}', '{"prediction": null}', '{"prediction": []}', '{"background_context": 1}']
HOSTILE = {"nested": "[" * 60_000, "a number without end": '{"head_dim": %s}' % ("9" * 400), "long": "{%s}" % (" " * 100_000)}


@pytest.mark.parametrize("text", [*SENSELESS, *WRONG_WORDS, *(pytest.param(text, id=name) for name, text in HOSTILE.items())])
def test_a_configuration_that_makes_no_sense_is_refused(tmp_path: Path, text: str) -> None:
    path = copy_of("v1", tmp_path)
    path.with_suffix(".json").write_text(text)
    assert refused(path).code is ErrorCode.MODEL_KEYS


def test_without_a_configuration_the_full_size_is_meant(tmp_path: Path) -> None:
    path = copy_of("v1", tmp_path)
    assert read_config(path) == NetworkConfig(**json.loads(path.with_suffix(".json").read_text()))
    path.with_suffix(".json").unlink()
    assert read_config(path) == NetworkConfig()
    assert refused(path).code is ErrorCode.MODEL_KEYS  # a head of 64 is wider than the tiny network
