"""Validation pictures of AnimeDiffusion: faces painted after themselves, bent as in training, and after another face."""

from typing import Any

import numpy as np
import torch
from torch import nn

from backend.families.animediffusion.sampling import PUBLISHED_ETA, PUBLISHED_STEPS, classifier_free_guidance, ddim_sample
from backend.imaging.thin_plate_warp import random_warp, warp_published
from backend.imaging.types import Gray, Rgb
from backend.networks.animediffusion import AnimeUNet
from backend.training.animediffusion.batch import Bending, line_pictures
from backend.training.animediffusion.dataset import FacePairs, squared
from backend.training.animediffusion.phases import Sampled
from backend.training.colorizediffusion.augment import signed
from backend.training.engine.trainer import Sheet
from backend.training.mini.validation_images import contact_sheet


def sheet_of(data: FacePairs, side: int, bending: Bending | None = warp_published, count: int = 6) -> Sheet:
    """What draws the sheet of a phase, of the first ``count`` faces of ``data``; they become references as in training."""

    def draw(network: nn.Module) -> Rgb:
        unet = network.unet if isinstance(network, Sampled) else network
        faces = [data.read(number) for number in range(min(count, len(data)))]
        truth, lines = [squared(face.color, side) for face in faces], [squared(face.lines, side) for face in faces]
        bends = [random_warp(np.random.default_rng(number)) for number in range(len(faces))]
        shown = [bending(face.color, bend) if bending else face.color for face, bend in zip(faces, bends, strict=True)]
        own = [squared(picture, side) for picture in shown]
        other = [*truth[1:], truth[0]]
        titles = ("lines", "itself, as learned", "painted", "another", "painted", "truth")
        rows = zip(lines, own, painted(unet, lines, own), other, painted(unet, lines, other), truth, strict=True)
        return contact_sheet(titles, [[np.repeat(row[0][..., None], 3, 2), *row[1:]] for row in rows])

    return draw


@torch.no_grad()
def painted(
    unet: AnimeUNet | Any,
    lines: list[Gray],
    references: list[Rgb],
    seed: int = 0,
    steps: int = PUBLISHED_STEPS,
    eta: float = PUBLISHED_ETA,
    guidance: float = 1.0,
) -> list[Rgb]:
    """Pictures (S, S, 3) of drawings dark on white (S, S) after references (S, S, 3), as published; all noise from ``seed``.

    guidance: towards the references, see ``diffusion.guided``.
    """
    device = next(unet.parameters()).device
    drawing, colors = line_pictures(lines).to(device), signed(references).to(device)
    generator = torch.Generator().manual_seed(seed)

    def noise() -> torch.Tensor:
        return torch.randn(colors.shape, generator=generator).to(device)

    def look(noisy: torch.Tensor, time: torch.Tensor | None, shown: torch.Tensor) -> torch.Tensor:
        return unet(noisy, drawing.repeat(len(shown) // len(drawing), 1, 1, 1), shown, time).float()

    found = ddim_sample(classifier_free_guidance(look, colors, guidance), noise(), steps, eta, noise, lambda *_: None).clamp(
        -1, 1
    )
    return list(((found + 1) * 127.5).round().permute(0, 2, 3, 1).cpu().numpy().astype(np.uint8))
