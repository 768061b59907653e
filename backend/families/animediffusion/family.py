"""AnimeDiffusion as a color model: a drawing of a face and a reference in, colors out."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from backend.contract.drawing import Colors, Drawing, ProgressCallback, StepProgress
from backend.contract.family import DelegatesSegmentation, ForegroundSegmenter
from backend.families.animediffusion.options import AnimeOptions, parse_options
from backend.families.animediffusion.sampling import classifier_free_guidance, ddim_sample, ddpm_sample
from backend.families.animediffusion.spec import ANCESTRAL, MAX_SIDE, MIN_SIDE, SIDE_MULTIPLE, SPEC
from backend.families.runtime.canvas_frame import (
    CanvasFrame,
    SideRange,
    frame_canvas,
    from_model_canvas,
    preview_image,
    region_medians_of_field,
    rgb_to_tensor,
    to_model_canvas,
)
from backend.families.runtime.memory_plan import USABLE_SHARE, free_memory
from backend.imaging.color import to_bytes
from backend.imaging.resize import resize
from backend.imaging.thin_plate_warp import random_warp, warp_published
from backend.imaging.types import Rgb
from backend.networks.animediffusion import AnimeUNet
from shared.errors import ErrorCode, LinewashError
from shared.protocol import ColorizeRequest, Finish, ReferenceRole
from shared.stages import Stage

SIDES = SideRange(SIDE_MULTIPLE, MIN_SIDE, MAX_SIDE)
ACTIVATIONS_PER_PIXEL = 22
"""Numbers that a step holds at its peak, per pixel, row of the batch and channel of the first level (measured: 15 to 22)."""
ONE_REFERENCE_WARNING = "This model uses one reference; the others were left out."


@dataclass(frozen=True)
class AnimeCondition:
    """What is computed once for a drawing and its references, for every seed."""

    place: CanvasFrame
    """Where the canvas lies in the model's image."""
    lines: Tensor
    """(1, 1, H, W) in -1..1, paper +1."""
    reference: Rgb
    """(h, w, 3), not warped yet: the warp is drawn from the seed."""
    options: AnimeOptions
    """What the painter has set for the model."""


@dataclass(frozen=True)
class AnimeLatent:
    """What the steps end with; AnimeDiffusion denoises pixels."""

    image: Tensor
    """(1, 3, H, W) in -1..1."""


class AnimeDiffusion(DelegatesSegmentation):
    """See ``backend.contract.family.ColorModel``.  The first reference that may color the foreground colors everything."""

    def __init__(self, unet: AnimeUNet, segmenter: ForegroundSegmenter) -> None:
        super().__init__(segmenter)
        self.spec = SPEC
        self._unet, self._device = unet, next(unet.parameters()).device

    def condition(self, drawing: Drawing, request: ColorizeRequest) -> AnimeCondition:
        """Lines and reference as the network reads them.  Raises LinewashError BAD_SETTING."""
        options = parse_options(request)
        height, width = drawing.ink.shape
        place = frame_canvas(width, height, options.size, SIDES)
        lines = 1 - 2 * torch.from_numpy(to_model_canvas(drawing.ink, place))
        candidates = (reference for reference in drawing.references if reference.role is not ReferenceRole.BACKGROUND)
        return AnimeCondition(place, lines[None, None], next(candidates, drawing.references[0]).rgb, options)

    @torch.inference_mode()
    def denoise(self, condition: AnimeCondition, request: ColorizeRequest, on_step: ProgressCallback) -> AnimeLatent:
        """The image; all noise, and how the reference is warped, comes from the request's seed.

        Raises LinewashError OUT_OF_MEMORY: when a step would not fit.  It is checked beforehand, because operating systems end
        programs that run out of memory on the way.
        """
        options, place = condition.options, condition.place
        # Before the steps, and with twice the rows where there is guidance.
        self._check_memory(place.image_width * place.image_height * (1 if request.guidance <= 1 else 2))
        generator = torch.Generator().manual_seed(request.seed)
        shape = (1, 3, place.image_height, place.image_width)
        lines = condition.lines.to(self._device)
        reference = condition.reference
        if options.warp_reference:
            reference = warp_published(reference, random_warp(np.random.default_rng(request.seed)))
        colors = rgb_to_tensor(crop_to_cover(reference, place.image_width, place.image_height)).to(self._device)

        def predict_noise(noisy: Tensor, time: Tensor | None, references: Tensor) -> Tensor:
            return self._unet(noisy, lines.expand(len(noisy), -1, -1, -1), references, time)

        def draw_noise() -> Tensor:  # on the CPU, so that a seed gives the same noise on every device
            return torch.randn(shape, generator=generator).to(self._device)

        def report(step: int, steps: int, clean: Tensor) -> None:
            image = to_bytes(((clean[0] + 1) / 2).permute(1, 2, 0).cpu().numpy())
            on_step(StepProgress(Stage.DENOISE, step, steps, preview_image(image, place, 1)))

        denoiser = classifier_free_guidance(predict_noise, colors, request.guidance)
        if options.sampler == ANCESTRAL:
            return AnimeLatent(ddpm_sample(denoiser, draw_noise(), options.eta, draw_noise, report))
        return AnimeLatent(ddim_sample(denoiser, draw_noise(), request.steps, options.eta, draw_noise, report))

    def decode(self, condition: AnimeCondition, latent: AnimeLatent, drawing: Drawing, request: ColorizeRequest) -> Colors:
        """The image as the color field, and its median in each region as the region's flat color."""
        field = from_model_canvas(latent.image, condition.place)
        warnings = (ONE_REFERENCE_WARNING,) if len(drawing.references) > 1 else ()
        return Colors(region_medians_of_field(field, drawing), field if request.finish is Finish.PAINTED else None, warnings)

    def _check_memory(self, pixels: int) -> None:
        """Raises LinewashError OUT_OF_MEMORY: when a step of so many pixels, in all rows of the batch, would not fit."""
        free, weight = free_memory(str(self._device)), next(self._unet.parameters())
        needed = pixels * ACTIVATIONS_PER_PIXEL * self._unet.width * weight.element_size()
        if free is not None and needed > USABLE_SHARE * free:
            raise LinewashError(
                ErrorCode.OUT_OF_MEMORY, f"{needed / 1e9:.1f} GB are needed, {USABLE_SHARE * free / 1e9:.1f} GB are free"
            )


def crop_to_cover(rgb: Rgb, width: int, height: int) -> Rgb:
    """(height, width, 3): the center of the image, scaled so that it just covers that size."""
    scale = max(width / rgb.shape[1], height / rgb.shape[0])
    scaled = resize(rgb, max(width, round(rgb.shape[1] * scale)), max(height, round(rgb.shape[0] * scale)))
    top, left = (scaled.shape[0] - height) // 2, (scaled.shape[1] - width) // 2
    return scaled[top : top + height, left : left + width]
