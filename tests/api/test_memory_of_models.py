"""A worker keeps its own model and, of those that were added, the one that was used last."""

import weakref
from pathlib import Path
from typing import Any

import pytest

from backend.server.colouring import Colouring
from backend.server.messages import Done, Run
from tests.api import fakes, pictures


def test_the_model_before_goes_when_another_comes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    loaded: dict[str, weakref.ref[Any]] = {}
    load = fakes.load

    def watched(name: str, models_dir: Path, device: str = "cpu") -> Any:
        family = load(name, models_dir, device)
        loaded[name] = weakref.ref(family)
        return family

    monkeypatch.setattr(fakes, "load", watched)
    colouring = Colouring("tests.api.fakes", tmp_path, 1, "cpu")
    assert colouring.preload("fake") == ""
    for name in ("slow", "moody"):
        wanted = pictures.request(name, steps=1)
        folder = tmp_path / name
        (folder / "inputs").mkdir(parents=True)
        for part, content in pictures.parts(wanted).items():
            (folder / "inputs" / (part + ".png")).write_bytes(content)
        for kept in ("request.json", "state.json"):  # the server's, which lie there already
            (folder / kept).touch()
        assert colouring.run(Run(name, folder, wanted), lambda job: False, lambda event: None) == Done(name)
    assert {name: family() is not None for name, family in loaded.items()} == {"fake": True, "slow": False, "moody": True}
