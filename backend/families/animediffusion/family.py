"""AnimeDiffusion as a family: a drawing of a face and a reference in, colors out."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from backend.contract.drawing import Colors, Drawing, ProgressCallback, StepProgress
from backend.contract.family import DelegatesSegmentation, ForegroundSegmenter
from backend.families.animediffusion.sampling import classifier_free_guidance, ddim_sample, ddpm_sample
from backend.families.animediffusion.spec import ANCESTRAL, MAX_SIDE, MIN_SIDE, SIDE_MULTIPLE, SPEC
from backend.families.common_parameters import resolve_parameters
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
from shared.model_spec import ParameterValues
from shared.protocol import ColorizeRequest, Finish, ReferenceRole
from shared.stages import Stage

SIDES = SideRange(SIDE_MULTIPLE, MIN_SIDE, MAX_SIDE)
ACTIVATIONS_PER_PIXEL = 22
"""That a step holds at its peak, for each pixel, row of the batch and channel of the first level (measured: 15 to 22)."""
ONE_REFERENCE_WARNING = "This model looks at one reference; the others were left out."


@dataclass(frozen=True)
class AnimeCondition:
    """Everything about one picture that holds for every seed.

    place: where the canvas lies in the model's picture.  lines: (1, 1, H, W) in -1..1, paper +1.  reference: (h, w, 3), not
    bent yet, as that is drawn with the seed.
    """

    place: CanvasFrame
    lines: Tensor
    reference: Rgb
    values: ParameterValues


class AnimeDiffusion(DelegatesSegmentation):
    """See ``backend.contract.family.ColorModel``.  The first reference that may color the figure colors everything."""

    def __init__(self, unet: AnimeUNet, guesser: ForegroundSegmenter) -> None:
        super().__init__(guesser)
        self.spec = SPEC
        self._unet, self._device = unet, next(unet.parameters()).device

    def condition(self, drawing: Drawing, request: ColorizeRequest) -> AnimeCondition:
        """Lines and reference as the network reads them.  LinewashError BAD_SETTING."""
        values = resolve_parameters(self.spec, request)
        height, width = drawing.ink.shape
        place = frame_canvas(width, height, int(values["size"]), SIDES)
        lines = 1 - 2 * torch.from_numpy(to_model_canvas(drawing.ink, place))
        figures = (each for each in drawing.references if each.role is not ReferenceRole.BACKGROUND)
        return AnimeCondition(place, lines[None, None], next(figures, drawing.references[0]).rgb, values)

    @torch.inference_mode()
    def denoise(self, condition: AnimeCondition, request: ColorizeRequest, on_step: ProgressCallback) -> Tensor:
        """The picture (1, 3, H, W) in -1..1; all noise, and how the reference is bent, comes from the request's seed.

        LinewashError OUT_OF_MEMORY where a step would not fit; systems end programs that find that out on the way.
        """
        values, place = condition.values, condition.place
        self._check_room(place.image_width * place.image_height * (1 if request.guidance <= 1 else 2))
        generator = torch.Generator().manual_seed(request.seed)
        shape = (1, 3, place.image_height, place.image_width)
        lines = condition.lines.to(self._device)
        reference = condition.reference
        if values["bend"]:
            reference = warp_published(reference, random_warp(np.random.default_rng(request.seed)))
        colors = rgb_to_tensor(crop_to_cover(reference, place.image_width, place.image_height)).to(self._device)

        def look(noisy: Tensor, time: Tensor | None, references: Tensor) -> Tensor:
            return self._unet(noisy, lines.expand(len(noisy), -1, -1, -1), references, time)

        def draw() -> Tensor:
            return torch.randn(shape, generator=generator).to(self._device)

        def report(step: int, steps: int, clean: Tensor) -> None:
            shown = to_bytes(((clean[0] + 1) / 2).permute(1, 2, 0).cpu().numpy())
            on_step(StepProgress(Stage.DENOISE, step, steps, preview_image(shown, place, 1)))

        denoiser, eta = classifier_free_guidance(look, colors, request.guidance), float(values["eta"])
        if values["sampler"] == ANCESTRAL:
            return ddpm_sample(denoiser, draw(), eta, draw, report)
        return ddim_sample(denoiser, draw(), request.steps, eta, draw, report)

    def decode(self, condition: AnimeCondition, latent: Tensor, drawing: Drawing, request: ColorizeRequest) -> Colors:
        """The picture as the field, and each region's median of it as its flat color."""
        field = from_model_canvas(latent, condition.place)
        said = (ONE_REFERENCE_WARNING,) if len(drawing.references) > 1 else ()
        return Colors(region_medians_of_field(field, drawing), field if request.finish is Finish.PAINTED else None, said)

    def _check_room(self, pixels: int) -> None:
        """For a step of so many pixels in all rows.  LinewashError OUT_OF_MEMORY."""
        free, weight = free_memory(str(self._device)), next(self._unet.parameters())
        wanted = pixels * ACTIVATIONS_PER_PIXEL * self._unet.width * weight.element_size()
        if free is not None and wanted > USABLE_SHARE * free:
            raise LinewashError(
                ErrorCode.OUT_OF_MEMORY, f"{wanted / 1e9:.1f} GB are needed, {USABLE_SHARE * free / 1e9:.1f} GB are free"
            )


def crop_to_cover(rgb: Rgb, width: int, height: int) -> Rgb:
    """(height, width, 3): the middle of the picture, made just large enough, or small, to cover that."""
    scale = max(width / rgb.shape[1], height / rgb.shape[0])
    sized = resize(rgb, max(width, round(rgb.shape[1] * scale)), max(height, round(rgb.shape[0] * scale)))
    top, left = (sized.shape[0] - height) // 2, (sized.shape[1] - width) // 2
    return sized[top : top + height, left : left + width]
