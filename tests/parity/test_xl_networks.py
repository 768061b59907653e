"""XL's networks reproduce the reference program; names and shapes agree at full size."""

import gzip
import json
from functools import cache

import pytest
import torch
from torch import Tensor

from backend.families.colorizediffusion.checkpoint import key_mapping, network_configs, xl_key_mapping, xl_network_configs
from backend.families.colorizediffusion.checkpoint.config import NetworkConfig
from backend.families.colorizediffusion.guided_denoiser import scale_features
from backend.networks.clip import preprocess as preprocess_for_clip
from backend.networks.colorizediffusion.attention_inputs import CrossAttentionInput
from backend.networks.colorizediffusion.hooks import ReferenceFeatures, UNetHooks
from backend.networks.colorizediffusion.multiscale_sketch_encoder import BLOCKS
from backend.networks.colorizediffusion.reference.reference_encoder import embed_numbers
from backend.networks.tagger import preprocess
from backend.weights.state_dict import Shapes, diff_keys
from tests.parity.files import MANIFESTS
from tests.parity.xl import CONFIG, check, context, everywhere, expected, given, networks, split, whole


@pytest.mark.parametrize(("exact", "name"), [(True, "sketch_enc"), (False, "sketch_enc_cosrope")])
def test_sketch_features_with_and_without_true_rotation(exact: bool, name: str) -> None:
    encoder = networks().sketch_encoder
    sketch = torch.cat([given("sketch"), -torch.ones_like(given("sketch"))])
    try:
        encoder.true_rotation = exact
        features = encoder(sketch)
    finally:
        encoder.true_rotation = True
    for level, block in enumerate(BLOCKS):
        check(features[block], f"{name}.{level}")


def test_references_become_a_context() -> None:
    of, reference = networks(), given("reference")
    check(preprocess_for_clip(reference, of.image_encoder.size), "clip_pixels")
    check(of.image_encoder(reference), "clip_tokens")
    check(preprocess(reference, CONFIG.tagger_side), "wd_pixels")
    check(of.tagger(reference), "wd_tokens")
    check(context(reference), "context")
    whitened = torch.where(given("rmask") >= 0.5, torch.ones_like(reference), reference)
    check(torch.cat([context(reference), context(whitened)], 1), "context_fgbg")


def test_sizes_and_scores_become_a_vector() -> None:
    check(embed_numbers(((128 * 96) ** 0.5, 7.0), 16), "y")


@cache
def features() -> dict[str, Tensor]:
    return networks().sketch_encoder(given("sketch"))


def blank() -> dict[str, Tensor]:
    return networks().sketch_encoder(-torch.ones_like(given("sketch")))


def scaled(strengths: tuple[float, ...]) -> dict[str, Tensor]:
    return {block: feature * strength for (block, feature), strength in zip(features().items(), strengths, strict=True)}


CASES = (
    "base",
    "ref_uncond",
    "no_reference",
    "gated",
    "sketch_uncond",
    "control_scales",
    "reference_scale_0.6",
    "split_bias",
    "split_bias_fgbg_ignored",
    "split_bias_bgimage",
    "split_merge",
)


@cache
def cases() -> dict[str, tuple[CrossAttentionInput, dict[str, Tensor]]]:
    one, both = expected("context"), expected("context_fgbg")
    pictured = torch.cat([one, context(given("background"))], 1)
    return {
        "base": (whole(one), features()),
        "ref_uncond": (whole(torch.zeros_like(one)), features()),
        "no_reference": (whole(torch.zeros_like(one)), features()),
        "gated": (whole(torch.zeros_like(one[:, :1])), features()),
        "sketch_uncond": (whole(one), blank()),
        "control_scales": (whole(one), scaled((0.5, 1.5, 0.0, 2.0))),
        "reference_scale_0.6": (whole(one, 0.6), features()),
        "split_bias": (split(both, 0.05), features()),
        "split_bias_fgbg_ignored": (split(both, 0.05, fg=0.3, bg=0.4), features()),
        "split_bias_bgimage": (split(pictured, 0.05), features()),
        "split_merge": (split(both, 0.3, merge=0.25, fg=0.8, bg=0.9), features()),
    }


@pytest.mark.parametrize("name", CASES)
def test_the_unet_in_every_branch_and_mode(name: str) -> None:
    cross_attention, sketch = cases()[name]
    unet = networks().unet
    found = unet(given("x"), given("t"), cross_attention, UNetHooks(sketch), expected("y"))
    check(found, f"unet.{name}")
    prepared = unet.prepare(cross_attention)
    check(unet(given("x"), given("t"), prepared, UNetHooks(sketch), expected("y")), f"unet.{name}")


def test_attention_injection() -> None:
    unet, one = networks().unet, expected("context")
    attention = CrossAttentionInput(torch.cat([one, torch.zeros_like(one)]), everywhere(1.0), None)
    x, t = given("x"), given("t_inject")
    check(unet(x, t, attention, UNetHooks(features()), expected("y")), "unet.inject_off")
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    nearest = t.round().long()
    abar = torch.cumprod(1 - betas, 0)[nearest[0]].float()
    noisy = abar.sqrt() * given("inject_latent") + (1 - abar).sqrt() * given("inject_noise")[0]
    own = scale_features(networks().sketch_encoder(-given("inject_image")), 0.7)
    stored = unet.encode_reference(noisy.expand(2, -1, -1, -1), t, attention, UNetHooks(own), expected("y"))
    hooks = UNetHooks(features(), reference=ReferenceFeatures(stored, fidelity=(0.0, 0.5)))
    check(unet(x, t, attention, hooks, expected("y")), "unet.inject_on")


def manifest(name: str) -> Shapes:
    text = gzip.decompress((MANIFESTS / f"manifest_{name}.json.gz").read_bytes())
    return {key: tuple(shape) for key, (shape, _) in json.loads(text).items()}


def test_full_size_names_and_shapes_agree_both_ways() -> None:
    shapes, frozen, config = manifest("xl"), manifest("xl_frozen_encoders"), NetworkConfig()
    names = xl_key_mapping.tagger_names(xl_key_mapping.TAGGER_PREFIX)
    with torch.device("meta"):
        own = [
            (xl_network_configs.reference_unet(shapes, config), xl_key_mapping.unet_source),
            (xl_network_configs.sketch_encoder(shapes, config), xl_key_mapping.sketch_source),
            (xl_network_configs.context_projection(shapes, config), xl_key_mapping.projection_source),
            (network_configs.autoencoder(shapes, config), key_mapping.vae_source),
        ]
        tagger = xl_network_configs.tagger(frozen, names, config), names
    assert diff_keys(own, shapes) == ([], sorted(key_mapping.SCHEDULE_BUFFERS), [])
    missing, _, mismatched = diff_keys([tagger], frozen)
    assert (missing, mismatched) == ([], [])
    counts = [sum(weight.numel() for weight in network.parameters()) / 1e6 for network, _ in own]
    assert counts == pytest.approx([2564.5, 26.0, 15.5, 83.7], abs=0.1)
