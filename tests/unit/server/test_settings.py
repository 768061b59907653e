"""The defaults that docs/architecture.md and README.md promise."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from backend.server.settings import Settings
from shared.protocol import MAX_PART_BYTES, MAX_QUEUED, MAX_REQUEST_BYTES


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Those of a server that is started without any wish, whatever the environment of the tests says."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"LINEWASH_{name.upper()}", raising=False)
    return Settings(home=tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", 0),
        ("idle_minutes", 30.0),
        ("devices", ()),
        ("registry", "backend.families.registry"),
        ("preload", "mini"),
        ("max_queued", MAX_QUEUED),
        ("max_part_bytes", MAX_PART_BYTES),
        ("max_request_bytes", MAX_REQUEST_BYTES),
        ("keep_days", 7.0),
        ("keep_bytes", 4 * 1024**3),
        ("cancel_grace_s", 30.0),
    ],
)
def test_a_server_keeps_to_what_the_docs_say(settings: Settings, name: str, value: object) -> None:
    assert getattr(settings, name) == value


@pytest.mark.parametrize(
    "wrong", [{"port": 65536}, {"idle_minutes": 0}, {"keep_days": 0}, {"cancel_grace_s": 0}, {"number_format": "float8"}]
)
def test_settings_outside_their_range_are_refused(tmp_path: Path, wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({"home": tmp_path, **wrong})


@pytest.mark.parametrize(
    ("text", "devices"),
    [("cuda:0", ("cuda:0",)), ("cpu, cuda:1", ("cpu", "cuda:1")), ("", ()), (" , ", ())],
)
def test_devices_of_the_environment_are_names_with_commas(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, devices: tuple[str, ...]
) -> None:
    monkeypatch.setenv("LINEWASH_DEVICES", text)
    assert Settings(home=tmp_path).devices == devices
    assert Settings(home=tmp_path, devices=("cpu",)).devices == ("cpu",), "an argument counts more"


def test_threads_are_divided_among_the_workers(tmp_path: Path) -> None:
    assert Settings(home=tmp_path, devices=("cuda:0", "cuda:1"), threads=7).threads_per_worker == 3
    assert Settings(home=tmp_path, devices=("cuda:0", "cuda:1"), threads=1).threads_per_worker == 1
    assert Settings(home=tmp_path, devices=(), threads=5).threads_per_worker == 5
