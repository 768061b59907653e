"""Measures how well AnimeDiffusion colors faces by themselves and by other faces (spec animediffusion 8)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from backend.evaluation.aggregate import mean_of_known
from backend.evaluation.metrics.color_metrics import color_difference
from backend.evaluation.metrics.fid import Inception, frechet_distance
from backend.evaluation.metrics.image_metrics import ms_ssim, psnr
from backend.evaluation.metrics.lpips import Lpips
from backend.imaging.thin_plate_warp import random_warp, warp_published
from backend.imaging.types import Rgb
from backend.networks.animediffusion import AnimeUNet
from backend.training.animediffusion.dataset import FacePairs, center_square
from backend.training.animediffusion.validation_images import paint_faces

SAME, CROSS = "same reference", "cross reference"
MODEL, REFERENCE, MEAN_COLOR = "model", "reference", "mean color"
"""Methods.  The last two are baselines: the reference as the model sees it, and its mean color everywhere."""
MIN_LPIPS_SIDE = 64
"""LPIPS is not measured for images with sides under this, pixels."""


@dataclass(frozen=True)
class FaceMetrics:
    """Means over whole images against the true ones; nan where a metric cannot be measured."""

    protocol: str
    """SAME or CROSS: which reference a face has."""
    method: str
    """Its name in tables."""
    images: int
    """Number of faces."""
    psnr: float
    """In dB."""
    ms_ssim: float
    """Multi-scale structural similarity, at most 1; higher is better."""
    lpips: float
    """Learned perceptual distance, 0 = equal; lower is better."""
    difference: float
    """CIEDE2000."""
    fid: float
    """Between all results and all true images."""


@dataclass(frozen=True)
class FaceOptions:
    """How faces are colored."""

    side: int = 256
    """Of the images, pixels."""
    steps: int = 10
    """Of DDIM."""
    eta: float = 1.0
    """Share of fresh noise in each step."""
    seed: int = 0
    """Of noise and warps, and across faces of which reference a face has."""
    warp_references: bool = True
    """Whether references are warped, as in the published evaluation."""
    guidance: float = 1.0
    """Strength of classifier-free guidance; 1 = off."""
    batch: int = 8
    """Faces that are colored at once."""


def reference_number(number: int, count: int, protocol: str, seed: int) -> int:
    """The face that is the reference of face ``number`` of ``count``: itself, or any other by the seed."""
    if protocol == SAME or count == 1:
        return number
    return (number + int(np.random.default_rng([seed, number]).integers(1, count))) % count


def colorize_faces(
    unet: AnimeUNet, data: FacePairs, protocol: str, options: FaceOptions, count: int
) -> Iterable[tuple[Rgb, Rgb]]:
    """Results of the network for the first ``count`` faces, and the true images, (S, S, 3) each."""
    for first in range(0, count, options.batch):
        numbers = range(first, min(first + options.batch, count))
        faces = [data.read(number) for number in numbers]
        references = [read_reference(data, number, protocol, options) for number in numbers]
        lines = [center_square(face.lines, options.side) for face in faces]
        results = paint_faces(unet, lines, references, options.seed + first, options.steps, options.eta, options.guidance)
        yield from zip(results, (center_square(face.color, options.side) for face in faces), strict=True)


def colorize_by_baselines(data: FacePairs, protocol: str, options: FaceOptions, count: int) -> dict[str, list[tuple[Rgb, Rgb]]]:
    """By baseline: its results for the first ``count`` faces, and the true images."""
    references = [read_reference(data, number, protocol, options) for number in range(count)]
    truth = [center_square(data.read(number).color, options.side) for number in range(count)]
    plain = [np.broadcast_to(image.mean((0, 1)).round().astype(np.uint8), image.shape) for image in references]
    return {REFERENCE: list(zip(references, truth, strict=True)), MEAN_COLOR: list(zip(plain, truth, strict=True))}


def read_reference(data: FacePairs, number: int, protocol: str, options: FaceOptions) -> Rgb:
    """The reference (S, S, 3) of face ``number``, warped or not."""
    image = data.read(reference_number(number, len(data), protocol, options.seed)).color
    if options.warp_references:
        image = warp_published(image, random_warp(np.random.default_rng([options.seed, number])))
    return center_square(image, options.side)


def measure_faces(
    protocol: str, pairs: Sequence[tuple[Rgb, Rgb]], perceptual: Lpips | None, inception: Inception | None, method: str = MODEL
) -> FaceMetrics:
    """The metrics of pairs of results and true images."""

    def mean(measure: Callable[[Rgb, Rgb], float]) -> float:
        return mean_of_known([measure(result, truth) for result, truth in pairs])

    usable = perceptual if perceptual and min(pairs[0][0].shape[:2]) >= MIN_LPIPS_SIDE else None
    return FaceMetrics(
        protocol,
        method,
        len(pairs),
        mean(psnr),
        mean(ms_ssim),
        mean(usable) if usable else float("nan"),
        mean(lambda result, truth: float(color_difference(result, truth).mean())),
        _fid(pairs, inception) if inception and len(pairs) > 1 else float("nan"),
    )


def _fid(pairs: Sequence[tuple[Rgb, Rgb]], inception: Inception) -> float:
    sides = [np.concatenate([inception([pair[side]]) for pair in pairs]) for side in (0, 1)]
    return frechet_distance(*sides)
