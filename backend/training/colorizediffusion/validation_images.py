"""Contact sheets of validation images: drawings that a stage colors with another image as reference (spec 21.5)."""

from typing import Any

import numpy as np
import torch
from torch import nn

from backend.families.colorizediffusion.conditioning import Encoders, ReferenceInputs
from backend.families.colorizediffusion.guided_denoiser import Conditioning, GuidedDenoiser
from backend.families.colorizediffusion.options import parse_strengths
from backend.families.colorizediffusion.preprocessing import blank_sketch, latent_mask, mask_to_tensor
from backend.families.colorizediffusion.spec import defaults
from backend.families.diffusion.guidance import Guidance
from backend.families.diffusion.noise_schedule import Schedule
from backend.families.diffusion.samplers import Sampler
from backend.families.diffusion.sampling import sample
from backend.families.runtime.canvas_frame import rgb_to_tensor
from backend.imaging.types import Rgb
from backend.training.colorizediffusion.augment import apply_crop, center_crop
from backend.training.colorizediffusion.dataset import Example, ImageDataset
from backend.training.colorizediffusion.stages.stage import Stage, move_to_device_of
from backend.training.engine.contact_sheet import draw_contact_sheet
from backend.training.engine.task import SheetRenderer
from shared.model_spec import ParameterValues

STEPS, GUIDANCE_SCALE = 20, 4.0
"""The published interface's defaults (spec 15.3)."""


def create_sheet_renderer(stage: Stage, data: ImageDataset, count: int = 4, steps: int = STEPS) -> SheetRenderer:
    """The function that draws the sheet of a stage: lines, reference, result and truth of the first ``count`` images.

    Each image has the next one as its reference.  steps: of the sampler.
    """
    shift = 1 if len(data) > 1 else 0

    def render(network: nn.Module) -> Rgb:
        weight = next(network.parameters())
        rows: list[list[Rgb]] = []
        for number in range(min(count, len(data))):
            example, reference = data.read(number), data.read((number + shift) % len(data))
            crop = center_crop(example.color, stage.config.augmentation.crops[0])  # the first of the sizes that are trained
            line, truth = apply_crop(example.sketch, crop), apply_crop(example.color, crop)
            mask = None if example.mask is None else apply_crop(example.mask, crop)
            with torch.autocast(weight.device.type, enabled=False):  # as in the product: in the weights' own type
                image = _sample_image(stage, line, mask, reference, weight.device, steps)
            rows.append([np.repeat(line[..., None], 3, 2), reference.color, image, truth])
        return draw_contact_sheet(("lines", "reference", "painted", "truth"), rows)

    return render


def _sample_image(
    stage: Stage, line: np.ndarray, mask: np.ndarray | None, reference: Example, device: torch.device, steps: int
) -> Rgb:
    """The drawing (H, W), dark on white, colored with the reference in the stage's own mode -> (H, W, 3)."""
    parts = stage.parts
    sketch = -rgb_to_tensor(np.repeat(line[..., None], 3, 2)).to(device)
    colors = rgb_to_tensor(reference.color).to(device)
    encoder = move_to_device_of(parts.sketch_encoder, sketch)
    empty = torch.empty(0)
    # Modes that use no mask read the image's size from it.
    whole = torch.zeros(1, 1, line.shape[0] // 8, line.shape[1] // 8, device=device)
    inputs = ReferenceInputs(
        tokens=stage.encode_tokens(colors, empty),
        reference=colors,
        reference_mask=empty if reference.mask is None else mask_to_tensor(reference.mask).to(device),
        background=None,
        mask=whole if mask is None else latent_mask(mask_to_tensor(mask)).to(device),
        reference_size=(colors.shape[-2], colors.shape[-1]),
    )
    version = parts.version
    encoders = Encoders(lambda image: stage.encode_tokens(image, empty), stage.encode_image)
    strengths = parse_strengths(ParameterValues(defaults(version.spec.parameters)), version.layers)
    reference_conditioning = version.reference(encoders, parts.extras, parts.config)(stage.info.sheet_mode, strengths, inputs)
    blank = encoder(blank_sketch(sketch))
    conditioning = Conditioning(
        encoder(sketch),
        blank,
        reference_conditioning.cross_attention,
        reference_conditioning.hooks,
        reference_conditioning.vector,
    )
    # Always the same noise, so that the sheets of a run can be compared.
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(1, 4, line.shape[0] // 8, line.shape[1] // 8, generator=generator).to(device)
    denoiser = GuidedDenoiser(move_to_device_of(parts.unet, sketch), conditioning, Guidance(GUIDANCE_SCALE))
    latent = sample(denoiser, noise, Sampler.DDIM, Schedule.AUTOMATIC, steps, parts.prediction, generator, lambda *_: None)
    vae: Any = move_to_device_of(parts.vae, latent)
    image = vae.decode(latent / version.latent_scale, return_dict=False)[0]
    return ((image[0].float().clamp(-1, 1) + 1) * 127.5).permute(1, 2, 0).cpu().numpy().astype(np.uint8)
