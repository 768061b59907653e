"""Validation pictures: what the averaged weights make of drawings, each with another picture for its reference (spec 21.5)."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from backend.families.colorizediffusion.conditioning import ConditioningInputs, ContextBuilder
from backend.families.colorizediffusion.guided_denoiser import Conditioning, GuidedDenoiser
from backend.families.colorizediffusion.preprocessing import blank_sketch, gray_picture, latent_mask
from backend.families.colorizediffusion.spec import BOTH, VANILLA
from backend.families.colorizediffusion.strengths import Strengths, constant_per_layer
from backend.families.diffusion.guidance import Guidance
from backend.families.diffusion.noise_schedule import Schedule
from backend.families.diffusion.samplers import Sampler
from backend.families.diffusion.sampling import sample
from backend.families.runtime.canvas_frame import rgb_to_tensor
from backend.imaging.types import Rgb
from backend.training.colorizediffusion.augment import apply_crop, center_crop
from backend.training.colorizediffusion.dataset import Example, ImageDataset
from backend.training.colorizediffusion.stage import LATENT_SCALE, Stage, move_to_device_of
from backend.training.engine.contact_sheet import draw_contact_sheet
from backend.training.engine.task import SheetRenderer

STEPS, GUIDANCE_SCALE = 20, 4.0
"""As the interface has it (spec 15.3)."""
_FULL = constant_per_layer(1.0)
STRENGTHS = Strengths(_FULL, _FULL, _FULL, constant_per_layer(0.0), sketch_threshold=0.05, reference_threshold=0.5)


def create_sheet_renderer(stage: Stage, data: ImageDataset, count: int = 4, steps: int = STEPS) -> SheetRenderer:
    """What draws the sheet of a stage, ``count`` pictures of ``data``: lines, reference, what is painted and what is true."""
    shift = 1 if len(data) > 1 else 0

    def draw(network: nn.Module) -> Rgb:
        here = next(network.parameters())
        rows: list[list[Rgb]] = []
        for number in range(min(count, len(data))):
            shown, reference = data.read(number), data.read((number + shift) % len(data))
            where = center_crop(shown.color, stage.config.augmentation.crops[0])  # the first of the sizes that are learned
            line, truth = apply_crop(shown.sketch, where), apply_crop(shown.color, where)
            mask = None if shown.mask is None else apply_crop(shown.mask, where)
            with torch.autocast(here.device.type, enabled=False):  # as the product paints: in the weights' own type
                painted = _sample_image(stage, line, mask, reference, here, steps)
            rows.append([np.repeat(line[..., None], 3, 2), reference.color, painted, truth])
        return draw_contact_sheet(("lines", "reference", "painted", "truth"), rows)

    return draw


def _sample_image(stage: Stage, line: np.ndarray, mask: np.ndarray | None, reference: Example, here: Tensor, steps: int) -> Rgb:
    parts = stage.parts
    sketch = -rgb_to_tensor(np.repeat(line[..., None], 3, 2)).to(here.device)
    colors = rgb_to_tensor(reference.color).to(here.device)
    encoder = move_to_device_of(parts.sketch_encoder, sketch)
    nothing = torch.empty(0)
    given = ConditioningInputs(
        tokens=stage.encode_tokens(colors, nothing),
        reference=colors,
        reference_mask=nothing if reference.mask is None else gray_picture(reference.mask).to(here.device),
        background=None,
        mask=nothing if mask is None else latent_mask(gray_picture(mask)).to(here.device),
    )
    maker = ContextBuilder(
        lambda picture: stage.encode_tokens(picture, nothing), parts.threshold_embedder, parts.token_transformer
    )
    attending = maker.attending(VANILLA if mask is None else BOTH, STRENGTHS, given)
    told = Conditioning(encoder(sketch), encoder(blank_sketch(sketch)), attending)
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(1, 4, line.shape[0] // 8, line.shape[1] // 8, generator=generator).to(here.device)
    guided = GuidedDenoiser(move_to_device_of(parts.unet, sketch), told, Guidance(GUIDANCE_SCALE))
    latent = sample(guided, noise, Sampler.DDIM, Schedule.AUTOMATIC, steps, parts.prediction, generator, lambda *_: None)
    vae: Any = move_to_device_of(parts.vae, latent)
    picture = vae.decode(latent / LATENT_SCALE, return_dict=False)[0]
    return ((picture[0].float().clamp(-1, 1) + 1) * 127.5).permute(1, 2, 0).cpu().numpy().astype(np.uint8)
