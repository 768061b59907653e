"""v2's own encoders: sizes, latents, styles and backgrounds of references."""

import torch
from torch import Tensor

from backend.families.colorizediffusion.preprocessing import squash
from backend.networks.colorizediffusion.reference.reference_encoder import embed_size
from backend.networks.colorizediffusion.reference.style_modules import StyleModulation
from backend.networks.colorizediffusion.reference.warp_modules import SkipWarp
from backend.networks.colorizediffusion.resized_mask import ResizedMask
from tests.parity.golden import Output, covers, golden
from tests.parity.loaded import parts
from tests.parity.modes import SCALE, conditioning

TARGET = (128, 192)


@covers("size_emb.*", versions=("v2",))
def test_sizes(output: Output) -> None:
    image = output.golden.image(output.name.removeprefix("size_emb."))
    output.check(embed_size((image.shape[-2], image.shape[-1]), TARGET))


@covers("latent.*", versions=("v2",))
def test_latents(output: Output) -> None:
    name = output.name.removeprefix("latent.")
    posterior = parts("v2").vae.encode(squash(output.golden.image(name), *TARGET)).latent_dist  # type: ignore[union-attr]
    noise = output.golden.inputs["noise_vae_ref" if name == "reference" else "noise_vae_bg"]
    output.check(SCALE * (posterior.mean + posterior.std * noise))


@covers("style.noimg.*", "style.bgimg.*", versions=("v2",))
def test_style_vectors(output: Output) -> None:
    _, kind, number = output.name.split(".")
    modulate = conditioning("v2", {"noimg": "style", "bgimg": "style_bgimg_merge03"}[kind]).hooks.modulate
    assert isinstance(modulate, StyleModulation)
    output.check(modulate.vectors[int(number)])


@covers("hs_bg.*", versions=("v2",))
def test_background_features(output: Output) -> None:
    _, kind, number = output.name.split(".")
    warp = conditioning("v2", {"noimg": "bg", "stylebgimg": "style_bg_bgimg_merge03"}[kind]).hooks.transform_skip
    assert isinstance(warp, SkipWarp)
    output.check(warp.features[int(number)])


def test_a_mask_for_each_row_warps_as_one_mask_does() -> None:
    warp = conditioning("v2", "bg").hooks.transform_skip
    assert isinstance(warp, SkipWarp)
    generator = torch.Generator().manual_seed(0)
    for index, size in ((0, (2, 3)), (11, (16, 24))):
        width = warp.features[index].shape[-1]
        skip = torch.randn(2, width, *size, generator=generator)
        alone = torch.cat([warp(index, row[None]) for row in skip])
        both = SkipWarp(warp.modules, warp.features, _for_each_row(golden("v2").outputs["smask_latent"]), warp.threshold)
        assert torch.allclose(warp(index, skip), alone, atol=1e-6)
        assert torch.allclose(both(index, skip), alone, atol=1e-6)


def _for_each_row(mask: Tensor) -> ResizedMask:
    return ResizedMask(mask.expand(2, -1, -1, -1))
