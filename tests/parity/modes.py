"""The golden modes, conditioned by the product's own builders."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from backend.families.colorizediffusion.conditioning import Encoders, ReferenceInputs
from backend.families.colorizediffusion.guided_denoiser import Conditioning, scale_features
from backend.families.colorizediffusion.layers import SD2_LAYERS
from backend.families.colorizediffusion.options import Strengths
from backend.families.colorizediffusion.preprocessing import latent_mask
from backend.families.runtime.content_cache import ContentCache
from backend.networks.clip import patch_tokens
from tests.parity.golden import golden
from tests.parity.loaded import features, parts, tokens

SCALE = 0.18215
PLAIN = Strengths(*map(SD2_LAYERS.constant, (1.0, 1.0, 1.0, 0.0)), sketch_threshold=0.05, reference_threshold=0.5)


@dataclass(frozen=True)
class Case:
    mode: str
    strength: Strengths = PLAIN
    with_background: bool = False
    sketch: float = 1.0


def _mixed(reference: float, foreground: float, background: float, mixing: float) -> Strengths:
    return Strengths(
        *map(SD2_LAYERS.constant, (reference, foreground, background, mixing)), sketch_threshold=0.05, reference_threshold=0.5
    )


VANILLA = {
    "vanilla": Case("vanilla"),
    "vanilla_strength06": Case("vanilla", replace(PLAIN, reference=SD2_LAYERS.levels(0.6, 1, 1, 1))),
    "vanilla_levels": Case("vanilla", replace(PLAIN, reference=SD2_LAYERS.levels(1, 0.9, 0.5, 0.3))),
    "vanilla_sketch07": Case("vanilla", sketch=0.7),
}
CASES = {
    "v1": {
        **VANILLA,
        "bg_enhance": Case("masked"),
        "bg_enhance_bgimg_merge03": Case("masked", _mixed(1, 1, 1, 0.3), True),
        "bg_enhance_bgimg_scales": Case("masked", _mixed(1, 0.7, 0.4, 0.3), True),
    },
    "v2": {
        **VANILLA,
        "style": Case("style"),
        "style_bgimg_merge03": Case("style", replace(_mixed(1, 1, 1, 0.3), style_mixing=0.3), True),
        "bg": Case("background"),
        "bg_bgimg": Case("background", with_background=True),
        "bg_scales": Case("background", replace(_mixed(0.8, 0.7, 0.4, 0.35), background_factor=0.8)),
        "style_bg": Case("style-background"),
        "style_bg_bgimg_merge03": Case("style-background", replace(_mixed(1, 1, 1, 0.3), style_mixing=0.3), True),
        "fg": Case("foreground"),
        "fg_scales": Case("foreground", _mixed(1, 0.7, 0.4, 0.2)),
        "style_fg_bgimg": Case("style-foreground", with_background=True),
    },
    "v1.5": {
        **VANILLA,
        "fg_enhance": Case("foreground"),
        "bg_enhance": Case("background"),
        "bg_enhance_bgimg": Case("background", with_background=True),
        "bg_enhance_merge035": Case("background", _mixed(1, 1, 1, 0.35)),
        "bg_enhance_scales": Case("background", _mixed(0.8, 0.7, 0.4, 0.35)),
        "both": Case("both-published"),
        "both_intended": Case("both"),
    },
}


def latents(version: str) -> Callable[[Tensor], Tensor]:
    """Encodes images; the first one and the second one of a mode are sampled with golden noise."""
    g, vae = golden(version), parts(version).vae
    noises = iter(("noise_vae_ref", "noise_vae_bg"))

    def encode(image: Tensor) -> Tensor:
        posterior = vae.encode(image).latent_dist  # type: ignore[union-attr]
        return SCALE * (posterior.mean + posterior.std * g.inputs[next(noises)])

    return ContentCache(encode, 2)


def _size(image: Tensor) -> tuple[int, int]:
    return image.shape[-2], image.shape[-1]


def conditioning(version: str, name: str) -> Conditioning:
    """The family's conditioning of the U-Net in a golden mode."""
    case, g, one = CASES[version][name], golden(version), parts(version)
    encoders = Encoders(lambda image: patch_tokens(one.image_encoder(image)), latents(version))
    build = one.version.reference(encoders, one.extras, one.config)
    background = g.image("background") if case.with_background else None
    given = ReferenceInputs(
        tokens(version, "reference"),
        g.image("reference"),
        g.mask("rmask"),
        background,
        latent_mask(g.mask("smask")),
        _size(g.image("reference")),
        _size(g.image("background")) if background is not None else (0, 0),
    )
    sketch, blank = (scale_features(each, case.sketch) for each in features(version))
    with torch.no_grad():
        built = build(case.mode, case.strength, given)
    return Conditioning(sketch, blank, built.cross_attention, built.hooks)
