"""How well AnimeDiffusion colors faces: after the picture itself, and after another (spec animediffusion 8)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from backend.evaluation.aggregate import mean_of_known
from backend.evaluation.color_metrics import color_difference
from backend.evaluation.fid import Inception, frechet_distance
from backend.evaluation.image_metrics import ms_ssim, psnr
from backend.evaluation.lpips import Lpips
from backend.imaging.thin_plate_warp import random_warp, warp_published
from backend.imaging.types import Rgb
from backend.networks.animediffusion import AnimeUNet
from backend.training.animediffusion.dataset import FacePairs, center_square
from backend.training.animediffusion.validation_images import paint_faces

SAME, CROSS = "same reference", "cross reference"
MODEL, REFERENCE, MEAN_COLOR = "model", "reference", "mean color"
"""What makes the pictures.  The last two are baselines: the reference as it is shown, and its mean color everywhere."""
MIN_LPIPS_SIDE = 64
"""Pixels a side below which LPIPS says nothing."""


@dataclass(frozen=True)
class FaceMetrics:
    """Means over pictures, nan where they cannot be told; of the whole picture against the true one.

    by: what made the pictures.  difference: CIEDE2000.  fid: between all pictures made and all true ones.
    """

    protocol: str
    method: str
    images: int
    psnr: float
    ms_ssim: float
    lpips: float
    difference: float
    fid: float


@dataclass(frozen=True)
class FaceOptions:
    """How faces are painted: at which side, in how many steps, from which seed, after bent references or not, how guided."""

    side: int = 256
    steps: int = 10
    eta: float = 1.0
    seed: int = 0
    warp_references: bool = True
    guidance: float = 1.0
    batch: int = 8


def reference_number(number: int, count: int, protocol: str, seed: int) -> int:
    """The picture that is shown for face ``number`` of ``count``: itself, or by the seed any other."""
    if protocol == SAME or count == 1:
        return number
    return (number + int(np.random.default_rng([seed, number]).integers(1, count))) % count


def colorize_faces(
    unet: AnimeUNet, data: FacePairs, protocol: str, options: FaceOptions, count: int
) -> Iterable[tuple[Rgb, Rgb]]:
    """What the network makes of the first ``count`` faces, and what is true, (S, S, 3) each."""
    for first in range(0, count, options.batch):
        numbers = range(first, min(first + options.batch, count))
        faces = [data.read(number) for number in numbers]
        shown = [read_reference(data, number, protocol, options) for number in numbers]
        lines = [center_square(face.lines, options.side) for face in faces]
        found = paint_faces(unet, lines, shown, options.seed + first, options.steps, options.eta, options.guidance)
        yield from zip(found, (center_square(face.color, options.side) for face in faces), strict=True)


def colorize_by_baselines(data: FacePairs, protocol: str, options: FaceOptions, count: int) -> dict[str, list[tuple[Rgb, Rgb]]]:
    """By name: for the first ``count`` faces the reference as it is shown, or its mean color, and what is true."""
    shown = [read_reference(data, number, protocol, options) for number in range(count)]
    truth = [center_square(data.read(number).color, options.side) for number in range(count)]
    plain = [np.broadcast_to(picture.mean((0, 1)).round().astype(np.uint8), picture.shape) for picture in shown]
    return {REFERENCE: list(zip(shown, truth, strict=True)), MEAN_COLOR: list(zip(plain, truth, strict=True))}


def read_reference(data: FacePairs, number: int, protocol: str, options: FaceOptions) -> Rgb:
    """The reference (S, S, 3) that face ``number`` is painted after."""
    picture = data.read(reference_number(number, len(data), protocol, options.seed)).color
    if options.warp_references:
        picture = warp_published(picture, random_warp(np.random.default_rng([options.seed, number])))
    return center_square(picture, options.side)


def measure_faces(
    protocol: str, pairs: Sequence[tuple[Rgb, Rgb]], perceptual: Lpips | None, inception: Inception | None, method: str = MODEL
) -> FaceMetrics:
    """Of painted and true pictures."""

    def mean(measure: Callable[[Rgb, Rgb], float]) -> float:
        return mean_of_known([measure(found, truth) for found, truth in pairs])

    told = perceptual if perceptual and min(pairs[0][0].shape[:2]) >= MIN_LPIPS_SIDE else None
    return FaceMetrics(
        protocol,
        method,
        len(pairs),
        mean(psnr),
        mean(ms_ssim),
        mean(told) if told else float("nan"),
        mean(lambda found, truth: float(color_difference(found, truth).mean())),
        _fid(pairs, inception) if inception and len(pairs) > 1 else float("nan"),
    )


def _fid(pairs: Sequence[tuple[Rgb, Rgb]], inception: Inception) -> float:
    sides = [np.concatenate([inception([pair[side]]) for pair in pairs]) for side in (0, 1)]
    return frechet_distance(*sides)
