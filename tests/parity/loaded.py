"""The networks of the golden checkpoints, through the product's loader, and what the tests ask of them."""

from collections.abc import Mapping
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional as F

from backend.families.colorizediffusion.checkpoint.loader import Parts, load_parts
from backend.networks.clip import patch_tokens
from backend.networks.colorizediffusion.attention_inputs import CrossAttentionInput, Split
from backend.networks.colorizediffusion.half_selectors import HardSelector
from tests.parity.golden import Golden, golden

LAYERS = 16
SKETCH_THRESHOLD, REFERENCE_THRESHOLD = 0.05, 0.5
Features = Mapping[str, Tensor]


@cache
def parts(version: str) -> Parts:
    """The networks of a golden checkpoint, float32."""
    return load_parts(golden(version).sd)


def everywhere(value: float) -> tuple[float, ...]:
    """One number for all cross-attention layers."""
    return (value,) * LAYERS


@cache
def tokens(version: str, image: str) -> Tensor:
    """Patch tokens of a golden image."""
    return patch_tokens(parts(version).image_encoder(golden(version).image(image)))


@cache
def bleached_tokens(version: str) -> Tensor:
    """Patch tokens of the reference with its character painted white."""
    g = golden(version)
    return patch_tokens(
        parts(version).image_encoder(torch.where(g.mask("rmask") < REFERENCE_THRESHOLD, g.image("reference"), 1.0))
    )


@cache
def features(version: str) -> tuple[Features, Features]:
    """Sketch features of the sketch and of the blank sketch."""
    encoder, sketch = parts(version).sketch_encoder, golden(version).sketch()
    return encoder(sketch), encoder(torch.full_like(sketch, -1))


def latent_mask(g: Golden) -> Tensor:
    """The sketch's character mask at latent size."""
    return F.interpolate(g.mask("smask"), scale_factor=1 / 8, mode="bicubic")


def split(
    g: Golden, fg: float = 1.0, bg: float = 1.0, merge: float = 0.0, fg_lora: bool = False, bg_lora: bool = False
) -> Split:
    """A split by the golden mask."""
    numbers = (everywhere(fg), everywhere(bg), everywhere(merge))
    pairs = ("foreground" if fg_lora else None, "background" if bg_lora else None)
    return Split(latent_mask(g), *numbers, HardSelector(everywhere(SKETCH_THRESHOLD)), *pairs)


def embedded(version: str, threshold: float) -> Tensor:
    """v1.5's token of a threshold."""
    embedder = parts(version).extras["threshold_embedder"]
    return embedder(torch.tensor([threshold]))


@cache
def background_tokens(version: str) -> Tensor:
    """v1.5's background tokens where there is no background image."""
    transformer = parts(version).extras["token_transformer"]
    return transformer(bleached_tokens(version) + embedded(version, REFERENCE_THRESHOLD))


LEVELS = tuple(
    0.9 if i in (0, 1) else 0.5 if i in (2, 3, 10, 11, 12) else 0.3 if i in (4, 5, 7, 8, 9) else 1.0 for i in range(16)
)


def cross_attention_of(version: str, mode: str) -> CrossAttentionInput:
    """What the conditional branch of a golden mode attends to, made of the product's tokens (spec 13)."""
    g, reference = golden(version), tokens(version, "reference")
    if mode.startswith("vanilla"):
        strength = {"vanilla_strength06": everywhere(0.6), "vanilla_levels": LEVELS}.get(mode, everywhere(1.0))
        return CrossAttentionInput(reference, strength, None)
    if version == "v1":
        background = bleached_tokens(version) if mode == "bg_enhance" else tokens(version, "background")
        scales = {"bg_enhance": {}, "bg_enhance_bgimg_merge03": {"merge": 0.3}}
        numbers = scales.get(mode, {"merge": 0.3, "fg": 0.7, "bg": 0.4})
        return CrossAttentionInput(torch.cat([reference, background], 1), everywhere(1.0), split(g, **numbers))
    if mode == "fg_enhance":
        return CrossAttentionInput(torch.cat([reference, reference], 1), everywhere(1.0), split(g, fg_lora=True))
    foreground = reference + embedded(version, SKETCH_THRESHOLD)
    background = background_tokens(version)
    if mode == "bg_enhance_bgimg":
        background = tokens(version, "background") + embedded(version, REFERENCE_THRESHOLD)
    context = torch.cat([foreground, background], 1)
    if mode.startswith("both"):
        both = context if mode == "both_intended" else torch.cat([context, context], 1)
        return CrossAttentionInput(both, everywhere(1.0), split(g, fg_lora=True, bg_lora=True))
    if mode == "bg_enhance_scales":
        return CrossAttentionInput(context, everywhere(0.8), split(g, merge=0.35, fg=0.7, bg=0.4, bg_lora=True))
    return CrossAttentionInput(
        context, everywhere(1.0), split(g, merge=0.35 if mode == "bg_enhance_merge035" else 0.0, bg_lora=True)
    )
