"""Contact sheets of AnimeDiffusion: faces painted after themselves, warped as in training, and after another face."""

from typing import Any

import numpy as np
import torch
from torch import nn

from backend.families.animediffusion.sampling import PUBLISHED_ETA, PUBLISHED_STEPS, classifier_free_guidance, ddim_sample
from backend.imaging.thin_plate_warp import random_warp, warp_published
from backend.imaging.types import Gray, Rgb
from backend.networks.animediffusion import AnimeUNet
from backend.training.animediffusion.batch import WarpFunction, lines_to_tensor
from backend.training.animediffusion.dataset import FacePairs, center_square
from backend.training.animediffusion.phases import DifferentiableSampler
from backend.training.colorizediffusion.augment import to_signed_tensor
from backend.training.engine.contact_sheet import draw_contact_sheet
from backend.training.engine.task import SheetRenderer

TITLES = ("lines", "itself, warped", "painted", "another", "painted", "truth")


def create_sheet_renderer(
    data: FacePairs, side: int, warp: WarpFunction | None = warp_published, count: int = 6
) -> SheetRenderer:
    """The function that draws the sheet of a phase, of the first ``count`` faces of ``data``.

    warp: makes a face its own reference, as in training.
    """

    def render(network: nn.Module) -> Rgb:
        unet = network.unet if isinstance(network, DifferentiableSampler) else network
        faces = [data.read(number) for number in range(min(count, len(data)))]
        truth = [center_square(face.color, side) for face in faces]
        lines = [center_square(face.lines, side) for face in faces]
        warps = [random_warp(np.random.default_rng(number)) for number in range(len(faces))]
        warped = [warp(face.color, bend) if warp else face.color for face, bend in zip(faces, warps, strict=True)]
        own = [center_square(image, side) for image in warped]
        other = [*truth[1:], truth[0]]
        rows = zip(lines, own, paint_faces(unet, lines, own), other, paint_faces(unet, lines, other), truth, strict=True)
        return draw_contact_sheet(TITLES, [[np.repeat(row[0][..., None], 3, 2), *row[1:]] for row in rows])

    return render


@torch.no_grad()
def paint_faces(
    unet: AnimeUNet | Any,
    lines: list[Gray],
    references: list[Rgb],
    seed: int = 0,
    steps: int = PUBLISHED_STEPS,
    eta: float = PUBLISHED_ETA,
    guidance: float = 1.0,
) -> list[Rgb]:
    """Color drawings (S, S), dark on white, after references (S, S, 3) with the published sampler -> images (S, S, 3).

    seed: of all noise.  guidance: scale of classifier-free guidance towards the references, see ``classifier_free_guidance``.
    """
    device = next(unet.parameters()).device
    drawing, colors = lines_to_tensor(lines).to(device), to_signed_tensor(references).to(device)
    generator = torch.Generator().manual_seed(seed)

    def noise() -> torch.Tensor:
        return torch.randn(colors.shape, generator=generator).to(device)

    def denoiser(noisy: torch.Tensor, time: torch.Tensor | None, reference: torch.Tensor) -> torch.Tensor:
        rows = len(reference) // len(drawing)  # of guidance, in one batch
        return unet(noisy, drawing.repeat(rows, 1, 1, 1), reference, time).float()

    guided = classifier_free_guidance(denoiser, colors, guidance)
    images = ddim_sample(guided, noise(), steps, eta, noise, lambda *_: None).clamp(-1, 1)
    return list(((images + 1) * 127.5).round().permute(0, 2, 3, 1).cpu().numpy().astype(np.uint8))
