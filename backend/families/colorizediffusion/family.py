"""ColorizeDiffusion v1 and v1.5 as a family: a drawing and a reference in, colors out."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from backend.contract.drawing import Colors, Drawing, ProgressCallback, Reference, StepProgress
from backend.contract.family import DelegatesSegmentation, ForegroundSegmenter, ModelSpec
from backend.families.colorizediffusion import preprocessing
from backend.families.colorizediffusion.conditioning import ConditioningInputs, ContextBuilder
from backend.families.colorizediffusion.guided_denoiser import Conditioning, Features, GuidedDenoiser, Injection, scale_features
from backend.families.colorizediffusion.loader import Parts
from backend.families.colorizediffusion.offload import module_groups, offload, plan_offload
from backend.families.colorizediffusion.spec import BY_NAME
from backend.families.colorizediffusion.strengths import Strengths, number, strengths, switched, text
from backend.families.colorizediffusion.text_editing import ReadTexts, apply_text_edits
from backend.families.common_parameters import resolve_mode, resolve_parameters
from backend.families.diffusion.denoiser import Prediction
from backend.families.diffusion.guidance import Guidance
from backend.families.diffusion.latent_preview import fit_latent_to_rgb, latent_to_rgb
from backend.families.diffusion.noise_schedule import Schedule
from backend.families.diffusion.samplers import Sampler
from backend.families.diffusion.sampling import sample
from backend.families.runtime.canvas_frame import (
    CanvasFrame,
    frame_canvas,
    from_model_canvas,
    preview_image,
    region_medians_of_field,
    rgb_to_tensor,
)
from backend.families.runtime.content_cache import ContentCache
from backend.families.runtime.memory_plan import TILE_SIDE, MemoryPlan
from backend.networks.clip import patch_tokens
from shared.model_spec import ParameterValues
from shared.protocol import ColorizeRequest, Finish, ReferenceRole
from shared.stages import Stage

ONE_EACH = "This model looks at one reference for the figure and one for the ground alone; the others were left out."
LATENT_SCALE = 0.18215
"""Latents are stored times this (spec 2)."""
CELL = 8
"""Pixels a side of one latent cell."""
GLIMPSE = 256
"""Side at which a reference is encoded to learn how latents look."""
KEPT = 4
"""References and drawings whose tokens and features are remembered."""


@dataclass(frozen=True)
class Condition:
    """Everything about one picture that holds for every seed.

    place: where the canvas lies in the model's picture.  colors: what latents look like, see ``latent_to_rgb``.  plan:
    what gives
    way to the device's memory.  warnings: sentences for the painter.
    """

    place: CanvasFrame
    conditioning: Conditioning
    injection: Injection | None
    colors: Tensor
    values: ParameterValues
    plan: MemoryPlan
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class _Chosen:
    """The references by what they are for, as the model takes them."""

    figure: Reference
    ground: Reference | None


class ColorizeDiffusion(DelegatesSegmentation):
    """See ``backend.contract.family.ColorModel``.

    The first reference that may color the figure does; the first for the ground alone is the background picture of the masked
    modes.  Encoders run once for each content: a new seed runs none of them, an edited drawing the sketch encoder, another
    reference the image encoder.
    """

    def __init__(
        self, spec: ModelSpec, parts: Parts, guesser: ForegroundSegmenter, read: ReadTexts | None, device: str = "cpu"
    ) -> None:
        self.spec = spec
        super().__init__(guesser)
        self._parts, self._read = parts, read
        self._device, self._groups = torch.device(device), module_groups(parts)
        self._tokens: ContentCache[Tensor] = ContentCache(self._encode_tokens, KEPT)
        self._features: ContentCache[Features] = ContentCache(self._encode_sketch, 2 * KEPT)
        self._latents: ContentCache[Tensor] = ContentCache(self._encode_latent, KEPT)
        self._colors: ContentCache[Tensor] = ContentCache(self._learn_colors, KEPT)
        self._contexts = ContextBuilder(self._patches, parts.threshold_embedder, parts.token_transformer)

    @torch.inference_mode()
    def condition(self, drawing: Drawing, request: ColorizeRequest) -> Condition:
        """What the mode makes of tokens and features.  LinewashError BAD_SETTING, NO_WORDS, OUT_OF_MEMORY."""
        values, mode = resolve_parameters(self.spec, request), resolve_mode(self.spec, request)
        assert mode is not None  # both versions have modes
        height, width = drawing.ink.shape
        plan = plan_offload(self._parts, self._device, int(number(values, "size")), _rows(values))
        self._before_and_after(plan)
        place = frame_canvas(width, height, plan.side, preprocessing.SIDES)
        chosen = _choose(drawing.references)
        strength = strengths(values)
        padding = number(values, "reference_padding")
        reference = rgb_to_tensor(preprocessing.pad_sides(chosen.figure.rgb, padding))
        given = ConditioningInputs(
            tokens=patch_tokens(apply_text_edits(self._tokens(reference), values, self._read)),
            reference=reference,
            reference_mask=preprocessing.gray_picture(preprocessing.widened_mask(chosen.figure.mask, padding)),
            background=None if chosen.ground is None else _ground(chosen.ground, strength, values),
            mask=self._moved(preprocessing.latent_mask(preprocessing.mask_picture(drawing.mask, place))),
        )
        sketch = preprocessing.sketch_picture(drawing.ink, place)
        fidelity = number(values, "sketch_strength")
        conditioning = Conditioning(
            scale_features(self._features(sketch), fidelity),
            scale_features(self._features(preprocessing.blank_sketch(sketch)), fidelity),
            self._contexts.attending(mode.name, strength, given),
        )
        injection = self._injection(reference, place, values) if switched(values, "injection") else None
        said = [plan.message] if plan.message else []
        if len(drawing.references) > 1 + (chosen.ground is not None):
            said.append(ONE_EACH)
        return Condition(place, conditioning, injection, self._colors(reference), values, plan, tuple(said))

    @torch.inference_mode()
    def denoise(self, condition: Condition, request: ColorizeRequest, on_step: ProgressCallback) -> Tensor:
        """The clean latent (1, 4, h, w); all noise comes from the request's seed."""
        values, place = condition.values, condition.place
        if condition.plan.offload:
            offload(self._groups.stepping, self._groups.others, self._device)
        generator = torch.Generator().manual_seed(request.seed)
        noise = torch.randn(1, 4, place.image_height // CELL, place.image_width // CELL, generator=generator)
        guided = GuidedDenoiser(
            self._parts.unet, condition.conditioning, _guidance(values, request.guidance), condition.injection, generator
        )

        def report(step: int, steps: int, clean: Tensor) -> None:
            preview = preview_image(latent_to_rgb(clean, condition.colors), place, CELL)
            on_step(StepProgress(Stage.DENOISE, step, steps, preview))

        return sample(
            guided,
            self._moved(noise),
            Sampler(text(values, "sampler")),
            Schedule(text(values, "schedule")),
            request.steps,
            _prediction(values, self._parts.prediction),
            generator,
            report,
        )

    @torch.inference_mode()
    def decode(self, condition: Condition, latent: Tensor, drawing: Drawing, request: ColorizeRequest) -> Colors:
        """The decoded picture as the field, and each region's median of it as its flat color."""
        self._before_and_after(condition.plan)
        vae = self._parts.vae
        vae.use_tiling = condition.plan.tiling
        vae.tile_sample_min_size, vae.tile_latent_min_size = TILE_SIDE, TILE_SIDE // CELL
        scaled: Any = latent.to(vae.dtype) / LATENT_SCALE
        (picture,) = vae.decode(scaled, return_dict=False)
        field = from_model_canvas(picture, condition.place)
        return Colors(
            region_medians_of_field(field, drawing), field if request.finish is Finish.PAINTED else None, condition.warnings
        )

    def _before_and_after(self, plan: MemoryPlan) -> None:
        """Make the networks ready that work before and after the steps."""
        stepping, others = self._groups.stepping, self._groups.others
        offload(others if plan.offload else (*others, *stepping), stepping if plan.offload else (), self._device)

    def _moved(self, tensor: Tensor) -> Tensor:
        return tensor.to(self._device)

    def _encode_tokens(self, picture: Tensor) -> Tensor:
        return self._parts.vision(self._moved(picture)).float()

    def _patches(self, picture: Tensor) -> Tensor:
        return patch_tokens(self._tokens(picture))

    def _encode_sketch(self, sketch: Tensor) -> Features:
        return self._parts.sketch_encoder(self._moved(sketch))

    def _encode_latent(self, picture: Tensor) -> Tensor:
        """(1, 3, H, W) to its scaled latent; the posterior is sampled (spec 2), with noise of its own and always the same."""
        vae = self._parts.vae
        posterior = vae.encode(self._moved(picture).to(vae.dtype)).latent_dist  # type: ignore[union-attr]
        noise = torch.randn(posterior.mean.shape, generator=torch.Generator().manual_seed(0))
        return (posterior.mean + posterior.std * noise.to(posterior.mean)).float() * LATENT_SCALE

    def _learn_colors(self, reference: Tensor) -> Tensor:
        small = preprocessing.resize_antialias(reference, GLIMPSE, GLIMPSE).clamp(-1, 1)
        return fit_latent_to_rgb(self._encode_latent(small), self._moved(small))

    def _injection(self, reference: Tensor, place: CanvasFrame, values: ParameterValues) -> Injection:
        sized = preprocessing.resize_antialias(reference, place.image_height, place.image_width)
        negative = scale_features(self._features(-sized), number(values, "injection_sketch"))
        return Injection(
            self._latents(sized), negative, number(values, "injection_reference"), number(values, "injection_start")
        )


def _choose(references: tuple[Reference, ...]) -> _Chosen:
    figure = next((r for r in references if r.role is not ReferenceRole.BACKGROUND), references[0])
    ground = next((r for r in references if r.role is ReferenceRole.BACKGROUND and r is not figure), None)
    return _Chosen(figure, ground)


def _ground(reference: Reference, strength: Strengths, values: ParameterValues) -> Tensor:
    picture = rgb_to_tensor(reference.rgb)
    if not switched(values, "clear_background"):
        return picture
    return preprocessing.whiten_background(picture, preprocessing.gray_picture(reference.mask) < strength.reference_threshold)


def _guidance(values: ParameterValues, reference: float) -> Guidance:
    pause = number(values, "pause_start"), number(values, "pause_end")
    return Guidance(
        reference,
        number(values, "sketch_guidance"),
        number(values, "guidance_start"),
        number(values, "guidance_end"),
        *(pause if pause[1] > pause[0] else (-1.0, -1.0)),
    )


def _prediction(values: ParameterValues, by_name: Prediction) -> Prediction:
    chosen = text(values, "prediction")
    return by_name if chosen == BY_NAME else "eps" if chosen == "eps" else "v"


def _rows(values: ParameterValues) -> int:
    """Rows of the largest batch a step may need; guidance by the reference counts, as it may come when all is remembered."""
    return 2 + (number(values, "sketch_guidance") > 1)
