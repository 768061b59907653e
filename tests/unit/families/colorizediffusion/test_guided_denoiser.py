"""What a version adds to the U-Net reaches every branch of guidance, and attention injection too."""

import pytest
import torch
from torch import Tensor

from backend.families.colorizediffusion.guided_denoiser import Conditioning, GuidedDenoiser, Injection
from backend.families.diffusion.guidance import Guidance
from backend.networks.colorizediffusion.hooks import UNetHooks
from backend.networks.colorizediffusion.unet import ReferenceUNet
from tests.unit.networks.colorizediffusion.tiny import DECODER_BLOCKS, cross_attention, latent, tiny_unet

LINES, BLANK = ({"conv_in": torch.full((1, 8, 1, 1), value)} for value in (1.0, 0.5))


@pytest.fixture(scope="module")
def unet() -> ReferenceUNet:
    return tiny_unet(class_embed_type="projection", projection_class_embeddings_input_dim=3)


@torch.no_grad()
def guided(unet: ReferenceUNet, hooks: UNetHooks, vector: float = 0.0, injection: Injection | None = None) -> Tensor:
    conditioning = Conditioning(LINES, BLANK, cross_attention(1), hooks, torch.full((1, 3), vector))
    generator = torch.Generator().manual_seed(0)
    return GuidedDenoiser(unet, conditioning, Guidance(3.0, 2.0), injection, generator)(latent(1), 481.0)


def test_hooks_and_vector_are_given_to_every_branch(unet: ReferenceUNet) -> None:
    rows: list[int] = []

    def transform(index: int, skip: Tensor) -> Tensor:
        rows.append(len(skip))
        return skip

    plain = guided(unet, UNetHooks())
    assert torch.equal(guided(unet, UNetHooks(transform_skip=transform)), plain)
    assert rows == [3] * DECODER_BLOCKS
    assert not torch.allclose(guided(unet, UNetHooks(), 1.0), plain)


def test_both_passes_of_attention_injection_are_given_them(unet: ReferenceUNet) -> None:
    rows: list[int] = []

    def modulate(index: int, output: Tensor, time: Tensor) -> Tensor:
        rows.append(len(output))
        return output

    injection = Injection(latent(1) + 1, BLANK, 0.5, 0.0)
    hooks = UNetHooks(modulate=modulate)
    assert not torch.allclose(guided(unet, hooks, injection=injection), guided(unet, UNetHooks()))
    assert rows == [3] * 2 * DECODER_BLOCKS
