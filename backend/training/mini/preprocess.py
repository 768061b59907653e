"""Cut drawn sets into regions once, so that training reads ready arrays.

A shard is an .npz of ``line, color, mask, ref, refmask`` (uint8, 256 px; line is white paper with dark lines) and ``source``,
one name a set.  It becomes a folder of .npy files, complete when ``done`` exists.
"""

from pathlib import Path

import cv2
import numpy as np

from backend.families.mini.features import GRID, SIDE
from backend.imaging.color import lab_from_rgb
from backend.imaging.ink import ink_from_rgba, lines_from_color
from backend.imaging.segmentation.palette import FINE, reference_regions
from backend.imaging.segmentation.regions import merge_and_split, region_medians, segment
from backend.imaging.types import Bools, Floats, Gray, Regions, Rgb

MAX_REGIONS, MAX_REFERENCE_REGIONS, MAX_PALETTE = 160, 160, FINE.colors
NONE = 255
"""Label of pixels without a region."""
GAP = 0.02
OFF = 15.0
"""A pixel this far (Lab) from its region's color says that the drawing's regions do not hold one color there."""


def shading(color: Rgb, flat: Rgb, ink: Bools) -> tuple[np.ndarray, Gray]:
    """What painting adds to the flats, at field size: residual (GRID, GRID, 3) int8 in 1/255, known share (GRID, GRID).

    color, flat: (SIDE, SIDE, 3).  Pixels at lines are unknown; cells without a known pixel take their neighbors' mean.
    """
    known = 1.0 - cv2.dilate(ink.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.float32)
    difference = (color.astype(np.float32) - flat) * known[..., None]
    total = cv2.resize(difference, (GRID, GRID), interpolation=cv2.INTER_AREA)
    share = cv2.resize(known, (GRID, GRID), interpolation=cv2.INTER_AREA)
    near_total, near_share = cv2.GaussianBlur(total, (0, 0), 1.5), cv2.GaussianBlur(share, (0, 0), 1.5)
    residual = (total + 0.05 * near_total) / (share + 0.05 * near_share + 1e-4)[..., None]
    return np.clip(np.rint(residual), -127, 127).astype(np.int8), np.rint(share * 255).astype(np.uint8)


def _padded(values: np.ndarray, length: int) -> np.ndarray:
    out = np.zeros((length, *values.shape[1:]), values.dtype)
    out[: len(values)] = values
    return out


def _colors_off(color: Rgb, medians: Rgb, regions: Regions) -> Floats:
    """(count,) pixels of each region, lines left out, that are not its color."""
    distance = np.sqrt(((lab_from_rgb(color) - lab_from_rgb(medians)[regions.labels]) ** 2).sum(-1))
    paper = ~regions.ink
    weights = distance[paper] > OFF
    return np.bincount(regions.labels[paper], weights=weights, minlength=regions.count).astype(np.float32)


def prepare_set(line: Gray, color: Rgb, mask: Gray, ref: Rgb, refmask: Gray) -> dict[str, np.ndarray]:
    """One set's arrays; (SIDE, SIDE[, 3]) uint8 each."""
    ink = ink_from_rgba(np.dstack([line, line, line, np.full_like(line, 255)]))
    regions = merge_and_split(segment(ink, GAP), mask, MAX_REGIONS)
    medians, trusted = region_medians(regions.labels, regions.count, color, ~regions.ink)
    reference = reference_regions(ref, refmask, MAX_REFERENCE_REGIONS, FINE)
    residual, known = shading(color, medians[regions.labels], regions.ink)
    return {
        "ink": ink,
        "mask": mask,
        "labels": regions.labels.astype(np.uint8),
        "count": np.array(regions.count, np.int32),
        "colors": _padded(medians, MAX_REGIONS),
        "trusted": _padded(trusted.astype(np.int32), MAX_REGIONS),
        "off": _padded(_colors_off(color, medians, regions), MAX_REGIONS),
        "residual": residual,
        "known": known,
        "reflines": lines_from_color(ref),
        "refmask": refmask,
        "reflabels": np.where(reference.labels < 0, NONE, reference.labels).astype(np.uint8),
        "refcount": np.array(len(reference.palette_index), np.int32),
        "refindex": _padded(reference.palette_index.astype(np.uint8), MAX_REFERENCE_REGIONS),
        "palette": _padded(reference.palette, MAX_PALETTE),
        "palettecount": np.array(len(reference.palette), np.int32),
        "refsmall": np.asarray(cv2.resize(ref, (SIDE // 2, SIDE // 2), interpolation=cv2.INTER_AREA)),
    }


def prepare_shard(shard: Path, folder: Path) -> int:
    """Write ``folder`` from ``shard``; the number of sets."""
    with np.load(shard, allow_pickle=False) as data:
        pictures = [data[k] for k in ("line", "color", "mask", "ref", "refmask")]
        sources = data["source"]
    rows = [prepare_set(*(p[i] for p in pictures)) for i in range(len(sources))]
    folder.mkdir(parents=True, exist_ok=True)
    for key in rows[0]:
        np.save(folder / f"{key}.npy", np.stack([r[key] for r in rows]))
    np.save(folder / "source.npy", sources)
    (folder / "done").touch()
    return len(rows)


def prepare_new(shards: Path, cache: Path) -> int:
    """Prepare every shard of the folder that is not in the cache yet; the number of sets added."""
    added = 0
    for shard in sorted(shards.glob("*.npz")):
        if not (cache / shard.stem / "done").exists():
            added += prepare_shard(shard, cache / shard.stem)
    return added
