"""XL-v2's network for backgrounds and its low-rank pairs reproduce the reference program."""

from functools import cache

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from backend.families.colorizediffusion.checkpoint import key_mapping, network_configs, xl_key_mapping, xl_network_configs
from backend.families.colorizediffusion.checkpoint.config import NetworkConfig
from backend.networks.colorizediffusion.attention_inputs import CrossAttentionInput, Split
from backend.networks.colorizediffusion.half_selectors import SoftSelector
from backend.networks.colorizediffusion.hooks import ReferenceFeatures, UNetHooks
from backend.networks.colorizediffusion.reference.background_network import BackgroundNetwork
from backend.networks.colorizediffusion.reference.reference_encoder import embed_numbers
from backend.weights.state_dict import diff_keys
from tests.parity import xl
from tests.parity.test_xl_networks import manifest

HEIGHT, WIDTH, WAVES, SCALE = 128, 96, 16, 0.13025
DECODER = range(8, 17)
"""Numbers of the decoder's transformer blocks."""


def given(name: str) -> Tensor:
    return xl.given(name, "xlv2")


@cache
def background_network() -> BackgroundNetwork:
    network = xl_network_configs.background_network(xl.golden_shapes("xlv2"), xl.CONFIG)
    return xl.fill(network, xl_key_mapping.background_source, "xlv2")


def eighth(mask: Tensor) -> Tensor:
    """A mask of any size at the latent's."""
    return F.interpolate(F.interpolate(mask, (HEIGHT, WIDTH), mode="bicubic"), scale_factor=1 / 8, mode="nearest")


def crop(image: Tensor) -> Tensor:
    """The part of an image that has the drawing's shape."""
    height, width = image.shape[-2:]
    ratio = (HEIGHT / WIDTH) * (width / height)
    fractions = (ratio, 1.0) if width / height < WIDTH / HEIGHT else (1.0, 1 / ratio)
    return embed_numbers((0.0, 0.0, *fractions), WAVES)


@cache
def banks(kind: str) -> dict[int, Tensor]:
    reference = given("reference")
    whitened = torch.where(given("rmask") >= 0.5, torch.ones_like(reference), reference)
    image = whitened if kind == "masked" else given("background")
    posterior = xl.networks("xlv2").vae.encode(F.interpolate(image, (HEIGHT, WIDTH), mode="bicubic")).latent_dist  # type: ignore[union-attr]
    latent = SCALE * (posterior.mean + posterior.std * given("vae_noise"))
    return background_network()(torch.cat([latent, eighth(given("smask")), eighth(given("rmask"))], 1), crop(image))


def test_the_banks_of_a_whitened_reference() -> None:
    found = banks("masked")
    assert sorted(found) == list(DECODER)
    for index, number in enumerate(DECODER):
        xl.check(found[number], f"bank.{index}", "xlv2")


def test_the_banks_of_a_background_reference() -> None:
    xl.check(banks("image")[DECODER[0]], "bank_image.0", "xlv2")


def both_halves(kind: str, merge: float, fg: float, bg: float, tokens: Tensor | None = None) -> CrossAttentionInput:
    reference = given("reference")
    whitened = torch.where(given("rmask") >= 0.5, torch.ones_like(reference), reference)
    image = whitened if kind == "masked" else given("background")
    context = torch.cat([xl.context(reference, "xlv2"), xl.context(image, "xlv2")], 1) if tokens is None else tokens
    numbers = (xl.everywhere(fg), xl.everywhere(bg), xl.everywhere(merge))
    split = Split(xl.expected("mask", "xlv2"), *numbers, SoftSelector(), "background", "background")
    return CrossAttentionInput(context.expand(2, -1, -1), xl.everywhere(1.0), split)


@pytest.mark.parametrize(
    ("name", "kind", "merge", "fg", "bg"),
    [
        ("bg_masked_reference", "masked", 0.0, 1.0, 1.0),
        ("bg_uncond", "masked", 0.0, 1.0, 1.0),
        ("bg_image", "image", 0.0, 1.0, 1.0),
        ("bg_image_thr", "image", 0.0, 1.0, 1.0),
        ("bg_image_merge", "image", 0.25, 0.8, 0.9),
    ],
)
def test_the_unet_with_a_background(name: str, kind: str, merge: float, fg: float, bg: float) -> None:
    zeros = torch.zeros_like(xl.expected("context_fgbg", "xlv2")) if name == "bg_uncond" else None
    attention = both_halves(kind, merge, fg, bg, zeros)
    # Positions of the background see the background's tokens alone, the others their own.
    seen = ReferenceFeatures(banks(kind), beside_own=False, mask=1 - xl.expected("mask", "xlv2"), threshold=0.95)
    of = xl.networks("xlv2")
    sketch = of.sketch_encoder(given("sketch"))
    found = of.unet(given("x"), given("t"), attention, UNetHooks(sketch, reference=seen), xl.expected("y", "xlv2"))
    xl.check(found, f"unet.{name}", "xlv2")


@pytest.mark.parametrize("name", ["base", "level_scales"])
def test_without_a_background_the_pairs_do_nothing(name: str) -> None:
    levels = tuple(0.5 if i < 2 else 0.25 if i < 6 or 8 <= i < 14 else 1.0 for i in range(xl.LAYERS))
    strength = levels if name == "level_scales" else xl.everywhere(1.0)
    of = xl.networks("xlv2")
    context = xl.context(given("reference"), "xlv2")
    xl.check(context, "context", "xlv2")
    attention = CrossAttentionInput(context.expand(2, -1, -1), strength, None)
    sketch = of.sketch_encoder(given("sketch"))
    found = of.unet(given("x"), given("t"), attention, UNetHooks(sketch), xl.expected("y", "xlv2"))
    xl.check(found, f"unet.{name}", "xlv2")


def test_full_size_names_and_shapes_agree_both_ways() -> None:
    shapes, config = manifest("xlv2"), NetworkConfig()
    with torch.device("meta"):
        own = [
            (xl_network_configs.reference_unet(shapes, config), xl_key_mapping.unet_source),
            (xl_network_configs.sketch_encoder(shapes, config), xl_key_mapping.sketch_source),
            (xl_network_configs.context_projection(shapes, config), xl_key_mapping.projection_source),
            (xl_network_configs.background_network(shapes, config), xl_key_mapping.background_source),
            (network_configs.autoencoder(shapes, config), key_mapping.vae_source),
        ]
    left = sorted((*key_mapping.SCHEDULE_BUFFERS, *xl_key_mapping.UNREAD))
    assert diff_keys(own, shapes) == ([], left, [])
    assert sum(weight.numel() for weight in own[3][0].parameters()) / 1e6 == pytest.approx(2012.6, abs=0.1)
