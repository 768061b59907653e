"""mini, this project's own small model: flats by a pointer network, and a diffusion model of the shading on top of them."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from diffusers import FlowMatchEulerDiscreteScheduler
from torch import Tensor, nn

from backend.contract.drawing import Colors, Drawing, ProgressCallback, StepProgress
from backend.contract.family import ModelSpec
from backend.families.common_parameters import REGION_PARAMETERS, steps_and_guidance
from backend.families.mini.color_choice import choose_colors, sample_colors
from backend.families.mini.features import GRID, SIDE
from backend.families.mini.foreground import MiniSegmenter
from backend.families.mini.inputs import (
    cut_reference,
    drawing_batch,
    field_anchor,
    field_ink,
    field_mask,
    references_for_matching,
    shading_reference,
    square_labels,
    warp_reference_colors,
)
from backend.families.mini.reference_palette import build_palette
from backend.families.runtime.network_loader import load_network
from backend.imaging.color import to_bytes
from backend.imaging.resize import Box
from backend.imaging.types import Bools, Floats, Gray, Labels, Rgb
from backend.networks.mini.field_denoiser import LATENT_SCALE, DenoiserInputs, FieldDenoiser
from backend.networks.mini.flats import Flats
from backend.networks.mini.foreground import ForegroundUNet
from backend.weights.shipped_model import ModelFolder
from shared.protocol import ColorizeRequest, Finish
from shared.stages import Stage

_DEFAULTS = ColorizeRequest(64, 64, ())
"""A request in which nothing is set; its size does not matter."""
SPEC = ModelSpec(
    name="mini",
    title="Mini",
    license="MIT; trained on CC0, CC BY and VRM Public License art, see the model card",
    finishes=(Finish.FLATS, Finish.PAINTED),
    parameters=(*REGION_PARAMETERS, *steps_and_guidance(_DEFAULTS.steps, _DEFAULTS.guidance, advanced=True)),
)
NETWORKS: dict[str, type[nn.Module]] = {"flats": Flats, "painted": FieldDenoiser, "foreground": ForegroundUNet}
"""By the part of the model folder that holds their weights."""

NOISE_SCALE = 0.5
"""Standard deviation of the noise that seeds other than 0 start from; at 1 the shading gets blotchy (docs/training.md)."""
FIRST_LEVEL = 0.7
"""Noise level after the first step, where there are several; the other steps share the rest evenly."""


@dataclass(frozen=True)
class MiniCondition:
    """What is computed once for a drawing and its references, for every seed: n regions, K palette colors."""

    log_prob: Tensor
    """(n, K), of each region's colors."""
    permitted: Bools
    """(n, K), which colors each region may take."""
    tokens: Tensor
    """(n, D), similar for similar regions."""
    colors: Rgb
    """(K, 3) uint8."""
    labels: Labels
    """The square label map, -1 outside the canvas."""
    box: Box
    """Of the canvas in a SIDE square."""
    denoiser_inputs: DenoiserInputs | None
    """None for the flats finish."""

    def choose_flats(self, seed: int) -> Rgb:
        """(n, 3) uint8, one color for each region; seed 0 gives the expected colors, other seeds vary them."""
        if seed == 0:
            return self.colors[choose_colors(self.log_prob, self.permitted, self.colors)]
        return self.colors[sample_colors(self.log_prob, self.permitted, self.colors, self.tokens, seed)]


@dataclass(frozen=True)
class MiniLatent:
    """The flats of a seed and the shading that is denoised on top of them."""

    flats: Rgb
    """(n, 3) uint8."""
    flats_image: Floats
    """(SIDE, SIDE, 3) sRGB 0..1, the flats drawn."""
    field: Tensor | None
    """(1, 3, GRID, GRID) in units of ``LATENT_SCALE``; None for the flats finish."""


class Mini:
    """See ``backend.contract.family.ColorModel``.

    Seed 0 gives the expected flats, other seeds vary them.  The painted finish adds shading, denoised from the seed's noise.
    """

    spec = SPEC
    mask_warnings: tuple[str, ...] = ()

    def __init__(self, flats: Flats, painted: FieldDenoiser, foreground: ForegroundUNet) -> None:
        self._flats, self._painted = flats.eval(), painted.eval()
        self._segmenter = MiniSegmenter(foreground)

    @staticmethod
    def load(folder: ModelFolder, device: str = "cpu") -> "Mini":
        """From a model folder, its networks on ``device``.  Raises LinewashError MODEL_MISSING or MODEL_CORRUPT."""
        networks: dict[str, Any] = {part: load_network(folder, part, build, device) for part, build in NETWORKS.items()}
        return Mini(**networks)

    def segment_drawing(self, ink: Gray) -> Gray:
        """See ``ForegroundSegmenter``."""
        return self._segmenter.segment_drawing(ink)

    def segment_reference(self, rgb: Rgb) -> Gray:
        """See ``ForegroundSegmenter``."""
        return self._segmenter.segment_reference(rgb)

    @torch.inference_mode()
    def condition(self, drawing: Drawing, request: ColorizeRequest) -> MiniCondition:
        """The probability of each color of each region, and what the painted finish reads."""
        labels, box = square_labels(drawing)
        references = tuple(cut_reference(r) for r in references_for_matching(drawing))
        offer = build_palette(drawing.regions.foreground, references)
        output = self._flats(drawing_batch(drawing, labels), offer.images, offer.palette, offer.allowed)
        denoiser_inputs = None
        if request.finish == Finish.PAINTED:
            reference, reference_mask = shading_reference(drawing.references)
            warped_colors = warp_reference_colors(output.correspondence, references)
            denoiser_inputs = DenoiserInputs(field_ink(drawing), field_mask(drawing), warped_colors, reference, reference_mask)
        log_prob, tokens = output.log_prob[0], output.tokens[0]
        return MiniCondition(log_prob, offer.permitted, tokens, offer.colors, labels, box, denoiser_inputs)

    @torch.inference_mode()
    def denoise(self, condition: MiniCondition, request: ColorizeRequest, on_step: ProgressCallback) -> MiniLatent:
        """The seed's flats and, for the painted finish, the denoised field; each step's preview shows its clean estimate."""
        flats = condition.choose_flats(request.seed)
        flats_image = _render_flats(flats, condition.labels)
        if condition.denoiser_inputs is None:
            latent = MiniLatent(flats, flats_image, None)
            on_step(StepProgress(Stage.DENOISE, 1, 1, _preview(condition, latent)))
            return latent
        # the branches of guidance, with and without the reference, are rows of one batch: a step is one call of the network
        drop = torch.tensor([False, True] if request.guidance != 1 else [False])
        rows = len(drop)
        inputs = DenoiserInputs(*(tensor.expand(rows, -1, -1, -1) for tensor in condition.denoiser_inputs))
        encoded = self._painted.condition(inputs, field_anchor(condition.labels, flats).expand(rows, -1, -1, -1), drop)
        scheduler: Any = FlowMatchEulerDiscreteScheduler(shift=1.0)
        scheduler.set_timesteps(sigmas=_noise_levels(request.steps))
        generator = torch.Generator().manual_seed(request.seed)
        noisy = _noise_scale(request.seed) * torch.randn(1, 3, GRID, GRID, generator=generator)
        for step, timestep in enumerate(scheduler.timesteps, 1):
            sigma = (timestep / scheduler.config["num_train_timesteps"])[None]
            predicted = self._painted(noisy.expand(rows, -1, -1, -1), sigma.expand(rows), encoded)
            # Without guidance there is one row, which is the first and the last: their difference is 0.
            clean = predicted[-1:] + request.guidance * (predicted[:1] - predicted[-1:])
            # the scheduler expects a velocity, the network predicts the clean latent
            noisy = scheduler.step((noisy - clean) / sigma, timestep, noisy).prev_sample
            preview = _preview(condition, MiniLatent(flats, flats_image, clean))
            on_step(StepProgress(Stage.DENOISE, step, request.steps, preview))
        return MiniLatent(flats, flats_image, noisy)

    def decode(self, condition: MiniCondition, latent: MiniLatent, drawing: Drawing, request: ColorizeRequest) -> Colors:
        """Colors of the regions and, for the painted finish, of the field over the whole canvas."""
        return Colors(latent.flats, None if latent.field is None else _add_shading(condition.box, latent))


def _noise_levels(steps: int) -> list[float]:
    """The level at which each step starts, from 1; the last step ends at 0."""
    return [1.0, *np.linspace(FIRST_LEVEL, 0, steps)[:-1]] if steps > 1 else [1.0]


def _noise_scale(seed: int) -> float:
    """Scale of the noise that the steps start from: 0 for seed 0, which gives the expected shading as it gives the flats."""
    return NOISE_SCALE if seed else 0.0


def _render_flats(flats: Rgb, labels: np.ndarray) -> Floats:
    """The flats (count, 3) drawn in a SIDE square, (SIDE, SIDE, 3) sRGB 0..1, white where labels are -1."""
    colors = np.concatenate([flats, np.full((1, 3), 255, np.uint8)])
    return (cv2.resize(colors[labels], (SIDE, SIDE), interpolation=cv2.INTER_AREA) / 255).astype(np.float32)


def _add_shading(box: Box, latent: MiniLatent) -> Floats:
    """The canvas (h, w, 3) float32 sRGB 0..1, longest side SIDE: the flats with the field's shading on top.

    Flats are drawn at this size rather than at the field's, so that only shading is interpolated and no color bleeds.
    """
    image = latent.flats_image
    if latent.field is not None:
        shade = np.ascontiguousarray(latent.field[0].permute(1, 2, 0).numpy()) * LATENT_SCALE
        image = image + cv2.resize(shade, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    inner = image[box.top : box.top + box.height, box.left : box.left + box.width]
    return np.clip(inner, 0, 1).astype(np.float32, copy=False)


def _preview(condition: MiniCondition, latent: MiniLatent) -> Rgb:
    return to_bytes(_add_shading(condition.box, latent))
