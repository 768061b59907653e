"""The walk through diffusers' blocks: numbers of transformer blocks, and what SDXL's shape adds."""

import pytest
import torch

from backend.networks.colorizediffusion.attention_inputs import CrossAttentionInput
from backend.networks.colorizediffusion.forward_pass import ForwardPass
from backend.networks.colorizediffusion.hooks import ReferenceFeatures, UNetHooks
from backend.networks.colorizediffusion.transformer_blocks import cross_attentions, transformer_blocks
from backend.networks.colorizediffusion.unet import ReferenceUNet
from tests.unit.networks.colorizediffusion.tiny import (
    BLOCKS,
    TIME,
    constant,
    cross_attention,
    latent,
    plain_unet,
    tiny_unet,
)

VECTOR = {"class_embed_type": "projection", "projection_class_embeddings_input_dim": 6}


def test_the_blocks_of_one_transformer_are_numbered_consecutively() -> None:
    unet = tiny_unet().unet
    names = {id(module): name for name, module in unet.named_modules()}
    numbered = [names[id(block)] for block in transformer_blocks(unet)]
    places = [f"down_blocks.1.attentions.{i}" for i in (0, 1)] + ["mid_block.attentions.0"]
    places += [f"up_blocks.0.attentions.{i}" for i in (0, 1, 2)]
    assert numbered == [f"{place}.transformer_blocks.{i}" for place in places for i in (0, 1)]
    assert [attention.processor.number for attention in cross_attentions(unet)] == list(range(BLOCKS))
    assert [block.attn1.processor.number for block in transformer_blocks(unet)] == list(range(BLOCKS))


def test_the_blocks_of_xl_have_the_numbers_of_its_specification() -> None:
    """Spec XL 3.4, at a fraction of the widths."""
    with torch.device("meta"):
        unet = plain_unet(
            block_out_channels=(8, 16, 16),
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            transformer_layers_per_block=(1, 2, 10),
            attention_head_dim=(2, 2, 2),
        )
    names = {id(module): name for name, module in unet.named_modules()}
    numbered = [names[id(block)] for block in transformer_blocks(unet)]
    assert len(numbered) == 70
    assert numbered[3] == "down_blocks.1.attentions.1.transformer_blocks.1"
    assert numbered[22] == "down_blocks.2.attentions.1.transformer_blocks.8"
    assert numbered[24] == "mid_block.attentions.0.transformer_blocks.0"
    assert numbered[62] == "up_blocks.0.attentions.2.transformer_blocks.8"
    assert numbered[69] == "up_blocks.1.attentions.2.transformer_blocks.1"


@torch.no_grad()
def test_every_block_has_a_strength_of_its_own() -> None:
    """A strength of 0 leaves the bias of the output projection of that block alone."""
    unet, known = tiny_unet(), cross_attention()
    outputs: list[torch.Tensor] = []
    handles = [
        attention.register_forward_hook(lambda module, inputs, output: outputs.append(output))
        for attention in cross_attentions(unet.unet)
    ]
    strength = tuple(0.0 if number == 3 else 1.0 for number in range(BLOCKS))
    unet(latent(), TIME, type(known)(known.context, strength, None))
    for handle in handles:
        handle.remove()
    biases = [attention.to_out[0].bias for attention in cross_attentions(unet.unet)]
    silent = [torch.allclose(output, bias.expand_as(output)) for output, bias in zip(outputs, biases, strict=True)]
    assert silent == [number == 3 for number in range(BLOCKS)]


@torch.no_grad()
def test_without_hooks_it_is_diffusers_own_network() -> None:
    plain, known = plain_unet(), cross_attention()
    wanted = plain(latent(), TIME, known.context, return_dict=False)[0]
    found = ReferenceUNet(plain)(latent(), TIME, type(known)(known.context, constant(1.0), None))
    torch.testing.assert_close(found, wanted, atol=1e-6, rtol=1e-5)


@torch.no_grad()
def test_a_vector_is_added_to_the_time_embedding_as_diffusers_does() -> None:
    plain, known, vector = plain_unet(**VECTOR), cross_attention(), torch.tensor([[0.1, 2.0, -1.0, 0.0, 1.0, 0.5]])
    wanted = plain(latent(), TIME, known.context, class_labels=vector.expand(2, -1), return_dict=False)[0]
    unet, ones = ReferenceUNet(plain), type(known)(known.context, constant(1.0), None)
    torch.testing.assert_close(unet(latent(), TIME, ones, vector=vector), wanted, atol=1e-6, rtol=1e-5)
    assert not torch.allclose(unet(latent(), TIME, ones, vector=vector + 1), wanted)


def test_a_vector_is_neither_left_out_nor_left_over() -> None:
    with pytest.raises(ValueError, match="takes a vector"):
        ReferenceUNet(plain_unet(**VECTOR))(latent(), TIME, cross_attention())
    with pytest.raises(ValueError, match="takes no vector"):
        tiny_unet()(latent(), TIME, cross_attention(), vector=torch.zeros(1, 6))


@torch.no_grad()
def test_encoder_outputs_are_the_skips_of_the_decoder() -> None:
    """So that a network of the encoder alone can be walked, too."""
    unet, skips = tiny_unet(), list[torch.Tensor]()

    def transform(index: int, skip: torch.Tensor) -> torch.Tensor:
        skips.append(skip)
        return skip

    unet(latent(), TIME, cross_attention(), UNetHooks(transform_skip=transform))
    time = unet.unet.time_embedding(unet.unet.time_proj(TIME.expand(2)))
    outputs = ForwardPass(unet.unet, time, cross_attention(), UNetHooks()).encode(latent())
    assert len(outputs) == len(skips) == 6
    for output, skip in zip(outputs, reversed(skips), strict=True):
        torch.testing.assert_close(output, skip)


@torch.no_grad()
def test_a_network_without_cross_attention_stores_features_for_another_s_decoder() -> None:
    """The shape of XL-v2's background network: more channels, a vector, self-attention alone, a decoder without its end."""
    plain = plain_unet(in_channels=6, **VECTOR)
    for block in transformer_blocks(plain):
        block.attn2 = block.norm2 = None
    plain.up_blocks[1].resnets, plain.conv_norm_out, plain.conv_out = plain.up_blocks[1].resnets[:1], None, None
    nothing = CrossAttentionInput(torch.zeros(1, 0, 1), (), None)
    tokens = ReferenceUNet(plain).encode_reference(torch.rand(1, 6, 8, 12), torch.tensor(0), nothing, vector=torch.ones(1, 6))
    bank = {number: feature for number, feature in tokens.items() if number >= 6}
    assert list(tokens) == list(range(BLOCKS)) and list(bank) == list(range(6, BLOCKS))
    unet = tiny_unet()
    hooks = UNetHooks(reference=ReferenceFeatures(bank, beside_own=False))
    assert not torch.allclose(unet(latent(), TIME, cross_attention(), hooks), unet(latent(), TIME, cross_attention()))
