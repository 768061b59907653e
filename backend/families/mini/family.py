"""mini: this project's own small model.  Flats point at the reference's palette; paint is a diffusion on top of the flats."""

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
from backend.imaging.types import Bools, Floats, Gray, Rgb
from backend.networks.mini.field_denoiser import LATENT_SCALE, DenoiserInputs, FieldDenoiser
from backend.networks.mini.flats import Flats
from backend.networks.mini.foreground import ForegroundUNet
from backend.weights.shipped_model import ModelFolder
from shared.protocol import ColorizeRequest, Finish
from shared.stages import Stage

_DEFAULTS = ColorizeRequest(64, 64, ())
SPEC = ModelSpec(
    name="mini",
    title="Mini",
    license="MIT; trained on CC0, CC BY and VRM Public License art, see the model card",
    finishes=(Finish.FLATS, Finish.PAINTED),
    parameters=(*REGION_PARAMETERS, *steps_and_guidance(_DEFAULTS.steps, _DEFAULTS.guidance, advanced=True)),
)
NETWORKS: dict[str, type[nn.Module]] = {"flats": Flats, "painted": FieldDenoiser, "foreground": ForegroundUNet}

NOISE_SCALE = 0.5
"""Share of the noise that other seeds begin with: with all of it shading gets blotchy (measured in docs/training.md)."""
FIRST_LEVEL = 0.7
"""The first step goes from the start to this level; the rest of the steps share what is left."""


@dataclass(frozen=True)
class MiniCondition:
    """Everything about one picture that holds for every seed.

    log_prob: (n, K), of each region's colors; permitted: (n, K) bool; tokens: (n, D), which regions are alike; colors:
    (K, 3) uint8.  labels: the square label map; box: the canvas in a SIDE square.  shown: what the painted network sees but for
    the flats, None for the flats finish.
    """

    log_prob: Tensor
    permitted: Bools
    tokens: Tensor
    colors: Rgb
    labels: np.ndarray
    box: Box
    denoiser_inputs: DenoiserInputs | None

    def flats(self, seed: int) -> Rgb:
        """(n, 3) uint8.  Seed 0 takes the best bet."""
        if seed == 0:
            return self.colors[choose_colors(self.log_prob, self.permitted, self.colors)]
        return self.colors[sample_colors(self.log_prob, self.permitted, self.colors, self.tokens, seed)]


@dataclass(frozen=True)
class MiniLatent:
    """flats: (n, 3) uint8.  drawn: the flats in a SIDE square, sRGB 0..1.  field: (1, 3, GRID, GRID), None for flats."""

    flats: Rgb
    flats_image: Floats
    field: Tensor | None


class Mini:
    """See ``backend.contract.family.ColorModel``.

    Seed 0 gives the flats that are the best bet, other seeds vary them.  Painting lays shading on them, from the seed's noise.
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

    def guess_drawing_mask(self, ink: Gray) -> Gray:
        """See ``ForegroundSegmenter``."""
        return self._segmenter.guess_drawing_mask(ink)

    def guess_reference_mask(self, rgb: Rgb) -> Gray:
        """See ``ForegroundSegmenter``."""
        return self._segmenter.guess_reference_mask(rgb)

    @torch.inference_mode()
    def condition(self, drawing: Drawing, request: ColorizeRequest) -> MiniCondition:
        """What every region may become and how likely, and what the painted finish needs.  No noise in it."""
        labels, box = square_labels(drawing)
        references = tuple(cut_reference(r) for r in references_for_matching(drawing))
        given = build_palette(drawing.regions.foreground, references)
        answer = self._flats(drawing_batch(drawing, labels), given.images, given.palette, given.allowed)
        shown = None
        if request.finish == Finish.PAINTED:
            picture, figure = shading_reference(drawing.references)
            shown = DenoiserInputs(
                field_ink(drawing),
                field_mask(drawing),
                warp_reference_colors(answer.correspondence, references),
                picture,
                figure,
            )
        return MiniCondition(answer.log_prob[0], given.permitted, answer.tokens[0], given.colors, labels, box, shown)

    @torch.inference_mode()
    def denoise(self, condition: MiniCondition, request: ColorizeRequest, on_step: ProgressCallback) -> MiniLatent:
        """The seed's flats and, for the painted finish, the clean field; every step shows what it expects to become."""
        flats = condition.flats(request.seed)
        drawn = _render_flats(flats, condition.labels)
        if condition.denoiser_inputs is None:
            on_step(StepProgress(Stage.DENOISE, 1, 1, _preview(condition, MiniLatent(flats, drawn, None))))
            return MiniLatent(flats, drawn, None)
        # with and without the reference side by side in one batch, so that guidance costs no call of its own
        both = torch.tensor([False, True] if request.guidance != 1 else [False])
        shown = DenoiserInputs(*(t.expand(len(both), -1, -1, -1) for t in condition.denoiser_inputs))
        given = self._painted.condition(shown, field_anchor(condition.labels, flats).expand(len(both), -1, -1, -1), both)
        scheduler: Any = FlowMatchEulerDiscreteScheduler(shift=1.0)
        levels = [1.0, *np.linspace(FIRST_LEVEL, 0, request.steps)[:-1]] if request.steps > 1 else [1.0]
        scheduler.set_timesteps(sigmas=levels)
        noise = torch.Generator().manual_seed(request.seed)
        latent = _noise_scale(request.seed) * torch.randn(1, 3, GRID, GRID, generator=noise)
        for step, timestep in enumerate(scheduler.timesteps, 1):
            sigma = (timestep / scheduler.config["num_train_timesteps"])[None]
            found = self._painted(latent.expand(len(both), -1, -1, -1), sigma.expand(len(both)), given)
            clean = found[-1:] + request.guidance * (found[:1] - found[-1:])
            latent = scheduler.step((latent - clean) / sigma, timestep, latent).prev_sample
            on_step(StepProgress(Stage.DENOISE, step, request.steps, _preview(condition, MiniLatent(flats, drawn, clean))))
        return MiniLatent(flats, drawn, latent)

    def decode(self, condition: MiniCondition, latent: MiniLatent, drawing: Drawing, request: ColorizeRequest) -> Colors:
        """Colors of the regions and, for the painted finish, of the field over the whole canvas."""
        return Colors(latent.flats, None if latent.field is None else _add_shading(condition.box, latent))


def _noise_scale(seed: int) -> float:
    """How much noise a seed's painting begins with: none gives the expected shading, as seed 0 gives the expected flats."""
    return NOISE_SCALE if seed else 0.0


def _render_flats(flats: Rgb, labels: np.ndarray) -> Floats:
    """The flats (count, 3) drawn in a SIDE square, (SIDE, SIDE, 3) sRGB 0..1, white where labels are -1."""
    colors = np.concatenate([flats, np.full((1, 3), 255, np.uint8)])
    return (cv2.resize(colors[labels], (SIDE, SIDE), interpolation=cv2.INTER_AREA) / 255).astype(np.float32)


def _add_shading(box: Box, latent: MiniLatent) -> Floats:
    """The canvas (h, w, 3) float32 sRGB 0..1, longest side SIDE: the flats, and the field's shading on top of them.

    Flats are drawn at this size rather than at the field's, so that only shading is interpolated and no color bleeds.
    """
    picture = latent.flats_image
    if latent.field is not None:
        shade = np.ascontiguousarray(latent.field[0].permute(1, 2, 0).numpy()) * LATENT_SCALE
        picture = picture + cv2.resize(shade, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    inner = picture[box.top : box.top + box.height, box.left : box.left + box.width]
    return np.clip(inner, 0, 1).astype(np.float32, copy=False)


def _preview(condition: MiniCondition, latent: MiniLatent) -> Rgb:
    return to_bytes(_add_shading(condition.box, latent))
