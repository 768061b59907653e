"""The ColorizeDiffusion family.  Everything in which its versions differ is in ``Version``."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from backend.contract.drawing import Colors, Drawing, ProgressCallback, Reference, StepProgress
from backend.contract.family import DelegatesSegmentation, ForegroundSegmenter
from backend.families.colorizediffusion import preprocessing
from backend.families.colorizediffusion.checkpoint.loader import Parts
from backend.families.colorizediffusion.conditioning import Encoders, ReferenceInputs, Size
from backend.families.colorizediffusion.guided_denoiser import Conditioning, Features, GuidedDenoiser, Injection, scale_features
from backend.families.colorizediffusion.offload import module_groups, offload, plan_offload
from backend.families.colorizediffusion.options import InjectionOptions, Options, parse_options
from backend.families.colorizediffusion.text.text_editing import ReadTexts, apply_text_edits
from backend.families.common_parameters import resolve_mode, resolve_parameters
from backend.families.diffusion.denoiser import keep_latent
from backend.families.diffusion.latent_copy import LatentCopy
from backend.families.diffusion.latent_preview import fit_latent_to_rgb, latent_to_rgb
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
from shared.protocol import ColorizeRequest, Finish, ReferenceRole
from shared.stages import Stage

REFERENCES_LEFT_OUT = "This model uses one reference for the foreground and one for the background; the others were left out."
NO_BACKGROUND = "Copy background needs a reference for the background; there is none, so nothing was copied."
BACKGROUND_NOT_USED = "As it is set, the mode %s does not use the reference for the background; other modes do."
CELL = 8
"""Side of one latent cell, in pixels."""
PREVIEW_SIDE = 256
"""Side at which a reference is encoded to fit the colors of latents, in pixels."""
CACHE_SIZE = 4
"""References and drawings whose tokens and features are cached."""


@dataclass(frozen=True)
class CopiedBackground:
    """A background reference that is copied behind the foreground."""

    latent: Tensor
    """(1, 4, h, w), scaled."""
    painted: Tensor
    """(1, 1, h, w) boolean: True where the model paints, in the foreground."""


@dataclass(frozen=True)
class Condition:
    """Everything about a drawing and its references that holds for every seed."""

    frame: CanvasFrame
    """Where the canvas lies in the model's image."""
    conditioning: Conditioning
    injection: Injection | None
    """None = no attention injection."""
    copied: CopiedBackground | None
    """None = the model paints everything."""
    colors: Tensor
    """The linear map from latents to colors, for previews; see ``latent_to_rgb``."""
    options: Options
    plan: MemoryPlan
    """How the model fits into the device's memory."""
    warnings: tuple[str, ...]
    """Sentences for the painter."""


@dataclass(frozen=True)
class _ReferenceRoles:
    """The references that the model uses."""

    main: Reference
    background: Reference | None


class ColorizeDiffusion(DelegatesSegmentation):
    """See ``backend.contract.family.ColorModel``.

    The main reference is the first one that may color the foreground.  The first one for the background alone is the background
    reference of the modes with masks.  Encoders run once for each content: a new seed runs no encoder, an edited drawing the
    sketch encoder, another reference the image encoder.
    """

    def __init__(
        self,
        parts: Parts,
        segmenter: ForegroundSegmenter,
        read_texts: ReadTexts | None,
        device: str = "cpu",
        *,
        warnings: tuple[str, ...] = (),
    ) -> None:
        """warnings: sentences for each result."""
        super().__init__(segmenter)
        self._warnings = warnings
        self.spec = parts.version.spec
        self._parts, self._version, self._read_texts = parts, parts.version, read_texts
        self._device, self._groups = torch.device(device), module_groups(parts)
        self._tokens: ContentCache[Tensor] = ContentCache(self._encode_tokens, CACHE_SIZE)
        self._features: ContentCache[Features] = ContentCache(self._encode_sketch, 2 * CACHE_SIZE)
        self._latents: ContentCache[Tensor] = ContentCache(self._encode_latent, CACHE_SIZE)
        self._colors: ContentCache[Tensor] = ContentCache(self._fit_colors, CACHE_SIZE)
        self._join = self._version.reference_tokens(parts.extras)
        encoders = Encoders(lambda image: self._join(self._tokens(image), self._to_device(image)), self._latent)
        self._build_reference = self._version.reference(encoders, parts.extras, parts.config)

    @torch.inference_mode()
    def condition(self, drawing: Drawing, request: ColorizeRequest) -> Condition:
        """Encode drawing and references for the mode.  Raises LinewashError BAD_SETTING, NO_WORDS, OUT_OF_MEMORY."""
        options = parse_options(resolve_parameters(self.spec, request), self._version.layers)
        mode = resolve_mode(self.spec, request)
        assert mode is not None  # every version has modes
        height, width = drawing.ink.shape
        # The plan comes first, because it may make the image smaller.
        plan = plan_offload(self._parts, self._device, options.size, options.largest_batch)
        self._load_other_networks(plan)
        frame = frame_canvas(width, height, plan.side, self._version.sides)
        references = _roles(drawing.references)
        reference = rgb_to_tensor(preprocessing.pad_sides(references.main.rgb, options.reference_padding))
        mask = preprocessing.pad_mask_sides(references.main.mask, options.reference_padding)
        inputs = ReferenceInputs(
            tokens=self._join(
                apply_text_edits(self._tokens(reference), options.text_edit, self._read_texts), self._to_device(reference)
            ),
            reference=reference,
            reference_mask=preprocessing.mask_to_tensor(mask),
            background=None if references.background is None else _background(references.background, options),
            mask=self._to_device(self._version.latent_mask(preprocessing.frame_mask(drawing.mask, frame))),
            reference_size=_padded_size(references.main.size, options.reference_padding),
            background_size=(0, 0) if references.background is None else references.background.size,
        )
        reference_conditioning = self._build_reference(mode.name, options.strengths, inputs)
        sketch = preprocessing.sketch_tensor(drawing.ink, frame)
        # The blank sketch is what guidance by the lines pushes away from.
        conditioning = Conditioning(
            scale_features(self._features(sketch), options.sketch_strength, options.line_levels),
            scale_features(self._features(preprocessing.blank_sketch(sketch)), options.sketch_strength, options.line_levels),
            reference_conditioning.cross_attention,
            reference_conditioning.hooks,
            reference_conditioning.vector,
        )
        injection = None if options.injection is None else self._injection(reference, frame, options.injection)
        copied = self._copied_background(inputs, options.strengths.sketch_threshold) if options.copy_background else None
        warnings = [sentence for sentence in (*self._warnings, plan.message) if sentence]
        if len(drawing.references) > 1 + (references.background is not None):
            warnings.append(REFERENCES_LEFT_OUT)
        uses_background = copied is not None or self._version.uses_background(mode.name, options.strengths)
        if references.background is not None and not uses_background:
            warnings.append(BACKGROUND_NOT_USED % mode.title)
        if options.copy_background and copied is None:
            warnings.append(NO_BACKGROUND)
        return Condition(frame, conditioning, injection, copied, self._colors(reference), options, plan, tuple(warnings))

    @torch.inference_mode()
    def denoise(self, condition: Condition, request: ColorizeRequest, on_step: ProgressCallback) -> Tensor:
        """The clean latent (1, 4, h, w).  All noise comes from the request's seed."""
        options, frame = condition.options, condition.frame
        if condition.plan.offload:
            offload(self._groups.step, self._groups.other, self._device)
        # On the CPU, so that a seed gives the same noise on every device.
        generator = torch.Generator().manual_seed(request.seed)
        noise = torch.randn(1, 4, frame.image_height // CELL, frame.image_width // CELL, generator=generator)
        denoiser = GuidedDenoiser(
            self._parts.unet, condition.conditioning, options.guidance(request.guidance), condition.injection, generator
        )

        def report(step: int, steps: int, clean: Tensor) -> None:
            preview = preview_image(latent_to_rgb(clean, condition.colors), frame, CELL)
            on_step(StepProgress(Stage.DENOISE, step, steps, preview))

        start, copied = self._to_device(noise), condition.copied
        return sample(
            denoiser,
            start,
            options.sampler,
            options.schedule,
            request.steps,
            options.prediction or self._parts.prediction,
            generator,
            report,
            keep_latent if copied is None else LatentCopy(copied.latent, copied.painted, start),
        )

    @torch.inference_mode()
    def decode(self, condition: Condition, latent: Tensor, drawing: Drawing, request: ColorizeRequest) -> Colors:
        """The decoded image as the color field, and its median in each region as the flat color."""
        self._load_other_networks(condition.plan)
        vae = self._parts.vae
        unscaled: Any = latent.to(vae.dtype) / self._version.latent_scale
        (image,) = vae.decode(unscaled, return_dict=False)
        field = from_model_canvas(image, condition.frame)
        return Colors(
            region_medians_of_field(field, drawing), field if request.finish is Finish.PAINTED else None, condition.warnings
        )

    def _load_other_networks(self, plan: MemoryPlan) -> None:
        """Move the networks to the device that compute before and after the steps; all networks, unless the plan offloads.

        The VAE encodes and decodes in tiles where the plan says so, whatever the last drawing's plan was.
        """
        step, other = self._groups.step, self._groups.other
        offload(other if plan.offload else (*other, *step), step if plan.offload else (), self._device)
        vae = self._parts.vae
        vae.use_tiling = plan.tiling
        vae.tile_sample_min_size, vae.tile_latent_min_size = TILE_SIDE, TILE_SIDE // CELL

    def _to_device(self, tensor: Tensor) -> Tensor:
        return tensor.to(self._device)

    def _encode_tokens(self, image: Tensor) -> Tensor:
        return self._parts.image_encoder(self._to_device(image)).float()

    def _encode_sketch(self, sketch: Tensor) -> Features:
        return self._parts.sketch_encoder(self._to_device(sketch))

    def _latent(self, image: Tensor) -> Tensor:
        """The cached latent of an image; tiles give another one than the whole image."""
        return self._latents(image, torch.tensor(self._parts.vae.use_tiling))

    def _encode_latent(self, image: Tensor, tiled: Tensor) -> Tensor:
        """The scaled latent of an image (1, 3, H, W), sampled from the posterior (spec 2) with fixed noise.

        tiled: whether the VAE computes in tiles just now.
        """
        assert bool(tiled) == self._parts.vae.use_tiling
        vae = self._parts.vae
        posterior = vae.encode(self._to_device(image).to(vae.dtype)).latent_dist  # type: ignore[union-attr]
        # Fixed, because latents are cached by the image's content alone.
        noise = torch.randn(posterior.mean.shape, generator=torch.Generator().manual_seed(0))
        return (posterior.mean + posterior.std * noise.to(posterior.mean)).float() * self._version.latent_scale

    def _fit_colors(self, reference: Tensor) -> Tensor:
        small = preprocessing.resize_antialias(reference, PREVIEW_SIDE, PREVIEW_SIDE).clamp(-1, 1)
        return fit_latent_to_rgb(self._encode_latent(small, torch.tensor(self._parts.vae.use_tiling)), self._to_device(small))

    def _injection(self, reference: Tensor, frame: CanvasFrame, options: InjectionOptions) -> Injection:
        resized = preprocessing.resize_antialias(reference, frame.image_height, frame.image_width).clamp(-1, 1)
        # Paper is -1 in sketches and white is +1 in images, so the reference is inverted.
        negative = scale_features(self._features(-resized), options.sketch_strength)
        return Injection(self._latent(resized), negative, options.style_fidelity, options.start)

    def _copied_background(self, inputs: ReferenceInputs, threshold: float) -> CopiedBackground | None:
        """The background reference, cut to the image's shape; None where there is no such reference."""
        if inputs.background is None:
            return None
        height, width = inputs.image_size
        image = preprocessing.fit_background(inputs.background, height, width)
        return CopiedBackground(self._latent(image), inputs.mask > threshold)


def _roles(references: tuple[Reference, ...]) -> _ReferenceRoles:
    main = next((r for r in references if r.role is not ReferenceRole.BACKGROUND), references[0])
    background = next((r for r in references if r.role is ReferenceRole.BACKGROUND and r is not main), None)
    return _ReferenceRoles(main, background)


def _padded_size(size: Size, factor: float) -> Size:
    """The size of a reference after ``pad_sides``."""
    return size[0], round(size[1] * factor)


def _background(reference: Reference, options: Options) -> Tensor:
    """The background reference (1, 3, h, w), without its foreground when ``options.clear_background``."""
    image = rgb_to_tensor(reference.rgb)
    if not options.clear_background:
        return image
    keep = preprocessing.mask_to_tensor(reference.mask) < options.strengths.reference_threshold
    return preprocessing.whiten_background(image, keep)
