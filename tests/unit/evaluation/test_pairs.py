"""Pairs from folders, with the sets the manifest names."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from backend.evaluation.pairs import Pair, read_folder, read_pairs


def write(folder: Path, name: str, pair: Pair) -> None:
    for part, picture in (("line", pair.line), ("mask", pair.mask), ("color", pair.color), ("ref", pair.reference)):
        shown = picture if picture.ndim == 2 else np.ascontiguousarray(picture[..., ::-1])
        assert cv2.imwrite(str(folder / f"{name}_{part}.png"), shown)


def test_folder_and_manifest(made: Pair, tmp_path: Path) -> None:
    folder = tmp_path / "pairs"
    folder.mkdir()
    write(folder, "000", made)
    write(folder, "007", made)
    (folder / "007_mask.png").unlink()
    (plain, _) = list(read_folder(folder))
    assert plain.source == "" and plain.kind == "drawings"
    entries = [{"id": 0, "set": "sprite-anna (2 poses)"}, {"id": 7, "set": "comic"}]
    (tmp_path / "manifest.json").write_text(json.dumps(entries))
    one, other = read_pairs(folder)
    assert (one.name, one.source, one.kind, one.split) == ("000", "sprite-anna (2 poses)", "sprite", True)
    assert (other.kind, other.split) == ("comic", False) and other.mask.min() == 255
    assert np.array_equal(one.color, made.color) and np.array_equal(one.mask, made.mask)


def test_a_missing_picture_is_named(made: Pair, tmp_path: Path) -> None:
    write(tmp_path, "000", made)
    (tmp_path / "000_ref.png").unlink()
    with pytest.raises(FileNotFoundError, match="000_ref"):
        list(read_folder(tmp_path))
