"""Cut the drawings of a shard into regions once, so that training reads arrays that are ready.

A shard is an .npz of ``line, color, mask, ref, refmask`` (uint8, 256 px; line is white paper with dark lines) and ``source``,
one name for each example.  It becomes a folder of .npy files, which is complete when a file ``done`` exists.
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
from backend.training.mini.shard_dataset import ExampleArrays

MAX_REGIONS, MAX_REFERENCE_REGIONS, MAX_PALETTE = 160, 160, FINE.colors
NO_REGION = 255
"""Label of pixels without a region."""
GAP = 0.02
"""Gaps in the lines that segmentation closes, as a share of the image's side."""
OFF_COLOR_DISTANCE = 15.0
"""A pixel this far (Lab) from the median of its region shows that the region does not have one color there."""


def field_residual(color: Rgb, flat: Rgb, ink: Bools) -> tuple[np.ndarray, Gray]:
    """What shading adds to the flats, at field size: residual (GRID, GRID, 3) int8 in 1/255, known share (GRID, GRID).

    color, flat: (SIDE, SIDE, 3).  Pixels at lines are unknown; cells without a known pixel take the mean of their neighbors.
    """
    known = 1.0 - cv2.dilate(ink.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.float32)
    difference = (color.astype(np.float32) - flat) * known[..., None]
    total = cv2.resize(difference, (GRID, GRID), interpolation=cv2.INTER_AREA)
    share = cv2.resize(known, (GRID, GRID), interpolation=cv2.INTER_AREA)
    # A blur of known pixels alone: both sums are blurred, then divided.
    near_total, near_share = cv2.GaussianBlur(total, (0, 0), 1.5), cv2.GaussianBlur(share, (0, 0), 1.5)
    residual = (total + 0.05 * near_total) / (share + 0.05 * near_share + 1e-4)[..., None]
    return np.clip(np.rint(residual), -127, 127).astype(np.int8), np.rint(share * 255).astype(np.uint8)


def _pad(values: np.ndarray, length: int) -> np.ndarray:
    out = np.zeros((length, *values.shape[1:]), values.dtype)
    out[: len(values)] = values
    return out


def _count_off_color(color: Rgb, medians: Rgb, regions: Regions) -> Floats:
    """(count,) how many pixels of each region, lines left out, do not have its color."""
    distance = np.sqrt(((lab_from_rgb(color) - lab_from_rgb(medians)[regions.labels]) ** 2).sum(-1))
    paper = ~regions.ink
    weights = distance[paper] > OFF_COLOR_DISTANCE
    return np.bincount(regions.labels[paper], weights=weights, minlength=regions.count).astype(np.float32)


def preprocess_example(line: Gray, color: Rgb, mask: Gray, ref: Rgb, refmask: Gray) -> ExampleArrays:
    """The arrays of one example, from images (SIDE, SIDE[, 3]) uint8.

    Of the drawing: ink, mask, labels (NO_REGION: none), count of regions, colors (their medians), trusted (pixels that a median
    comes from), off (pixels of another color), residual and known (see ``field_residual``).  Of the reference: reflines (its
    pseudo-lines), refmask, reflabels, refcount, refindex (palette entry of each region), palette, palettecount, and refsmall
    (the image at half size).  Arrays over regions and palettes are padded to MAX_REGIONS, MAX_REFERENCE_REGIONS, MAX_PALETTE.
    """
    ink = ink_from_rgba(np.dstack([line, line, line, np.full_like(line, 255)]))
    regions = merge_and_split(segment(ink, GAP), mask, MAX_REGIONS)
    medians, trusted = region_medians(regions.labels, regions.count, color, ~regions.ink)
    reference = reference_regions(ref, refmask, MAX_REFERENCE_REGIONS, FINE)
    residual, known = field_residual(color, medians[regions.labels], regions.ink)
    return {
        "ink": ink,
        "mask": mask,
        "labels": regions.labels.astype(np.uint8),
        "count": np.array(regions.count, np.int32),
        "colors": _pad(medians, MAX_REGIONS),
        "trusted": _pad(trusted.astype(np.int32), MAX_REGIONS),
        "off": _pad(_count_off_color(color, medians, regions), MAX_REGIONS),
        "residual": residual,
        "known": known,
        "reflines": lines_from_color(ref),
        "refmask": refmask,
        "reflabels": np.where(reference.labels < 0, NO_REGION, reference.labels).astype(np.uint8),
        "refcount": np.array(len(reference.palette_index), np.int32),
        "refindex": _pad(reference.palette_index.astype(np.uint8), MAX_REFERENCE_REGIONS),
        "palette": _pad(reference.palette, MAX_PALETTE),
        "palettecount": np.array(len(reference.palette), np.int32),
        "refsmall": np.asarray(cv2.resize(ref, (SIDE // 2, SIDE // 2), interpolation=cv2.INTER_AREA)),
    }


def preprocess_shard(shard: Path, folder: Path) -> int:
    """Write ``folder`` from ``shard``; the number of examples."""
    with np.load(shard, allow_pickle=False) as data:
        images = [data[k] for k in ("line", "color", "mask", "ref", "refmask")]
        sources = data["source"]
    examples = [preprocess_example(*(image[i] for image in images)) for i in range(len(sources))]
    folder.mkdir(parents=True, exist_ok=True)
    for key in examples[0]:
        np.save(folder / f"{key}.npy", np.stack([example[key] for example in examples]))
    np.save(folder / "source.npy", sources)
    # Last: a folder without this file is incomplete and not learned from.
    (folder / "done").touch()
    return len(examples)
