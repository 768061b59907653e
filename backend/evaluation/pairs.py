"""Drawings with known colors and a reference: from a folder of pictures or from a shard."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from backend.imaging.types import Gray, Rgb

WARP_STRENGTH = 0.05
"""Largest displacement of a warp, as a share of the picture's width."""


@dataclass(frozen=True)
class Pair:
    """A drawing and its truth.

    line (h, w), dark on white.  color (h, w, 3), the truth.  mask (h, w), 255 = figure.  reference (rh, rw, 3) and its mask
    (rh, rw); None = to be guessed.  split: the mask tells figure from ground; else it only says what is judged.  source: the
    set it belongs to, as the manifest or the shard says; '' = unknown.
    """

    name: str
    line: Gray
    color: Rgb
    mask: Gray
    reference: Rgb
    reference_mask: Gray | None
    split: bool = True
    source: str = ""

    @property
    def kind(self) -> str:
        """The first word of the source: sets of one kind share a table."""
        return re.split(r"[-/ ]", self.source, maxsplit=1)[0] or "drawings"


def read_rgb(path: Path) -> Rgb:
    """A picture file as (h, w, 3).  Raises FileNotFoundError when there is none that can be read."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise FileNotFoundError(path)
    return np.ascontiguousarray(picture[..., ::-1]).astype(np.uint8, copy=False)


def read_pairs(place: Path) -> Iterator[Pair]:
    """``from_shard`` of a file .npz, else ``from_folder``."""
    return read_shard(place) if place.suffix == ".npz" else read_folder(place)


def _read_sources(folder: Path) -> dict[str, str]:
    """The set of each picture from a manifest.json in or above the folder: entries with "id" (a number) and "set"."""
    for path in (folder / "manifest.json", folder.parent / "manifest.json"):
        if path.is_file():
            return {f"{entry['id']:03d}": entry["set"] for entry in json.loads(path.read_text(encoding="utf-8"))}
    return {}


def read_folder(folder: Path) -> Iterator[Pair]:
    """Pictures NAME_line, NAME_color, NAME_ref and NAME_mask (.png); without a mask all of the picture is judged."""
    sources = _read_sources(folder)
    for path in sorted(folder.glob("*_line.png")):
        name = path.name[: -len("_line.png")]
        line = read_rgb(path)[..., 1]
        masked = folder / f"{name}_mask.png"
        mask = read_rgb(masked)[..., 1] if masked.exists() else np.full(line.shape, 255, np.uint8)
        color, reference = read_rgb(folder / f"{name}_color.png"), read_rgb(folder / f"{name}_ref.png")
        yield Pair(name, line, color, mask, reference, None, masked.exists(), sources.get(name, ""))


def read_shard(shard: Path) -> Iterator[Pair]:
    """The sets of an .npz shard (see ``backend.training.mini.preprocess``)."""
    with np.load(shard, allow_pickle=False) as data:
        columns = [data[key] for key in ("line", "color", "mask", "ref", "refmask", "source")]
    for number, (line, color, mask, reference, reference_mask, source) in enumerate(zip(*columns, strict=True)):
        split = bool((mask > 127).any()) and not bool((mask > 127).all())
        yield Pair(f"{number:03d}", line, color, mask, reference, reference_mask, split, str(source))


def mirror_and_warp_reference(pair: Pair, seed: int) -> Pair:
    """The pair with its reference mirrored and bent smoothly, so that nothing can be copied by position."""
    height, width = pair.reference.shape[:2]
    rng = np.random.default_rng(seed)
    bend = cv2.resize(rng.uniform(-1, 1, (5, 5, 2)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    at_x = (width - 1 - x) + bend[..., 0] * WARP_STRENGTH * width
    at_y = y + bend[..., 1] * WARP_STRENGTH * width

    def bent(picture: np.ndarray) -> np.ndarray:
        return cv2.remap(picture, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.uint8)

    mask = None if pair.reference_mask is None else bent(pair.reference_mask)
    return replace(pair, reference=bent(pair.reference), reference_mask=mask)
