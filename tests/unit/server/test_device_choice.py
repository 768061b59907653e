"""The file that keeps the painter's choice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backend.server.device_choice import read_choice, read_number_format, write_choice
from shared.devices.device_status import AUTOMATIC, NumberFormat


@pytest.mark.parametrize(
    "text", ["", "no JSON", "[]", '{"device": 7}', '{"device": ""}', '{"number_format": "float8"}', "\x00"]
)
def test_a_damaged_file_is_as_none(tmp_path: Path, text: str) -> None:
    file = tmp_path / "settings.json"
    file.write_text(text)
    assert read_choice(file) == AUTOMATIC and read_number_format(file) is NumberFormat.AUTOMATIC
    write_choice(file, "cuda:0")
    assert read_choice(file) == "cuda:0"


def test_no_file_is_no_choice(tmp_path: Path) -> None:
    assert read_choice(tmp_path / "settings.json") == AUTOMATIC
    assert read_number_format(tmp_path / "settings.json") is NumberFormat.AUTOMATIC


def test_the_number_format_is_read_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text('{"number_format": "float32"}')
    write_choice(file, "cpu")
    assert read_number_format(file) is NumberFormat.FLOAT32
    assert json.loads(file.read_text()) == {"number_format": "float32", "device": "cpu"}
    assert [path.name for path in tmp_path.iterdir()] == ["settings.json"]
