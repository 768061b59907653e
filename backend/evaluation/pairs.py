"""Drawings with true colors and a reference, read from a folder of images or from a shard."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from backend.imaging.types import Gray, Rgb

WARP_STRENGTH = 0.05
"""Largest displacement of a warp, as a share of the width of the image."""


@dataclass(frozen=True)
class Pair:
    """A drawing, its true colors and a reference."""

    name: str
    """Unique in its set; it names images of the report."""
    line: Gray
    """(h, w): dark on white."""
    color: Rgb
    """(h, w, 3): the true colors."""
    mask: Gray
    """(h, w): 255 = foreground."""
    reference: Rgb
    """(rh, rw, 3)."""
    reference_mask: Gray | None
    """(rh, rw): 255 = foreground; None = unknown, the model guesses it."""
    split: bool = True
    """Whether the mask tells foreground from background; else it only says which pixels are judged."""
    source: str = ""
    """The set that the pair belongs to, as the manifest or the shard says; '' = unknown."""

    @property
    def kind(self) -> str:
        """The first word of the source; sets of one kind share a table."""
        return re.split(r"[-/ ]", self.source, maxsplit=1)[0] or "drawings"


def read_rgb(path: Path) -> Rgb:
    """An image file as (h, w, 3).  Raises FileNotFoundError when there is none that can be read."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise FileNotFoundError(path)
    return np.ascontiguousarray(image[..., ::-1]).astype(np.uint8, copy=False)


def read_pairs(place: Path) -> Iterator[Pair]:
    """``read_shard`` for an .npz file, else ``read_folder``."""
    return read_shard(place) if place.suffix == ".npz" else read_folder(place)


def _read_sources(folder: Path) -> dict[str, str]:
    """The set of each pair, from a manifest.json in or above the folder with entries of "id" (a number) and "set"."""
    for path in (folder / "manifest.json", folder.parent / "manifest.json"):
        if path.is_file():
            return {f"{entry['id']:03d}": entry["set"] for entry in json.loads(path.read_text(encoding="utf-8"))}
    return {}


def read_folder(folder: Path) -> Iterator[Pair]:
    """Pairs from NAME_line, NAME_color, NAME_ref and NAME_mask (.png); without a mask the whole image is judged."""
    sources = _read_sources(folder)
    for path in sorted(folder.glob("*_line.png")):
        name = path.name[: -len("_line.png")]
        line = read_rgb(path)[..., 1]
        mask_file = folder / f"{name}_mask.png"
        mask = read_rgb(mask_file)[..., 1] if mask_file.exists() else np.full(line.shape, 255, np.uint8)
        color, reference = read_rgb(folder / f"{name}_color.png"), read_rgb(folder / f"{name}_ref.png")
        yield Pair(name, line, color, mask, reference, None, mask_file.exists(), sources.get(name, ""))


def read_shard(shard: Path) -> Iterator[Pair]:
    """Pairs from an .npz shard (see ``backend.training.synthetic.shards``)."""
    with np.load(shard, allow_pickle=False) as data:
        columns = [data[key] for key in ("line", "color", "mask", "ref", "refmask", "source")]
    for number, (line, color, mask, reference, reference_mask, source) in enumerate(zip(*columns, strict=True)):
        split = bool((mask > 127).any()) and not bool((mask > 127).all())
        yield Pair(f"{number:03d}", line, color, mask, reference, reference_mask, split, str(source))


def mirror_and_warp_reference(pair: Pair, seed: int) -> Pair:
    """The pair with its reference mirrored and smoothly warped, so that no color can be copied by position."""
    height, width = pair.reference.shape[:2]
    rng = np.random.default_rng(seed)
    # 5 x 5 random shifts, interpolated: smooth enough that shapes stay recognizable.
    displacement = cv2.resize(rng.uniform(-1, 1, (5, 5, 2)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    at_x = (width - 1 - x) + displacement[..., 0] * WARP_STRENGTH * width
    at_y = y + displacement[..., 1] * WARP_STRENGTH * width

    def warp(image: np.ndarray) -> np.ndarray:
        return cv2.remap(image, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.uint8)

    mask = None if pair.reference_mask is None else warp(pair.reference_mask)
    return replace(pair, reference=warp(pair.reference), reference_mask=mask)
