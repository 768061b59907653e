"""Pairs from folders, with the sets the manifest names."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from backend.evaluation.pairs import Pair, read_folder, read_pairs


def write(folder: Path, name: str, pair: Pair) -> None:
    for part, image in (("line", pair.line), ("mask", pair.mask), ("color", pair.color), ("ref", pair.reference)):
        shown = image if image.ndim == 2 else np.ascontiguousarray(image[..., ::-1])
        assert cv2.imwrite(str(folder / f"{name}_{part}.png"), shown)


def test_folder_and_manifest(boxes_pair: Pair, tmp_path: Path) -> None:
    folder = tmp_path / "pairs"
    folder.mkdir()
    write(folder, "000", boxes_pair)
    write(folder, "007", boxes_pair)
    (folder / "007_mask.png").unlink()
    (plain, _) = list(read_folder(folder))
    assert plain.source == "" and plain.kind == "drawings"
    entries = [{"id": 0, "set": "sprite-anna (2 poses)"}, {"id": 7, "set": "comic"}]
    (tmp_path / "manifest.json").write_text(json.dumps(entries))
    one, other = read_pairs(folder)
    assert (one.name, one.source, one.kind, one.split) == ("000", "sprite-anna (2 poses)", "sprite", True)
    assert (other.kind, other.split) == ("comic", False) and other.mask.min() == 255
    assert np.array_equal(one.color, boxes_pair.color) and np.array_equal(one.mask, boxes_pair.mask)


def test_a_missing_image_is_named(boxes_pair: Pair, tmp_path: Path) -> None:
    write(tmp_path, "000", boxes_pair)
    (tmp_path / "000_ref.png").unlink()
    with pytest.raises(FileNotFoundError, match="000_ref"):
        list(read_folder(tmp_path))
