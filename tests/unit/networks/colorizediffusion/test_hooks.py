"""Hooks act in one call of the U-Net, where they say, and leave nothing behind."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from backend.networks.colorizediffusion.hooks import ReferenceFeatures, UNetHooks, keep_output, keep_skip
from backend.networks.colorizediffusion.unet import ReferenceUNet
from tests.unit.networks.colorizediffusion.tiny import (
    BLOCKS,
    DECODER_BLOCKS,
    TIME,
    cross_attention,
    latent,
    split,
    tiny_unet,
)

DECODER_WIDTHS = [(16, 16), (16, 16), (8, 16), (8, 8), (8, 8), (8, 8)]
"""(skip, output) of each decoder block."""


@pytest.fixture(scope="module")
def unet() -> ReferenceUNet:
    return tiny_unet()


@torch.no_grad()
def outcome(unet: ReferenceUNet, hooks: UNetHooks | None = None) -> Tensor:
    return unet(latent(), TIME, cross_attention(split=split()), hooks or UNetHooks())


@torch.no_grad()
def stored(unet: ReferenceUNet) -> dict[int, Tensor]:
    """What another pass leaves, of one row."""
    return unet.encode_reference(latent(1) + 0.5, torch.tensor(100), cross_attention(1))


def test_hooks_that_keep_everything_change_nothing(unet: ReferenceUNet) -> None:
    assert torch.equal(outcome(unet, UNetHooks({}, keep_skip, keep_output, None)), outcome(unet))


def test_nothing_is_left_behind(unet: ReferenceUNet) -> None:
    plain, described, names = outcome(unet), repr(unet), list(unet.state_dict())
    hooks = UNetHooks(
        {"conv_in": torch.ones(1, 8, 1, 1)},
        lambda index, skip: 2 * skip,
        lambda index, output, time: output + time.mean(),
        ReferenceFeatures(stored(unet), mask=torch.rand(1, 1, 8, 12), fidelity=(0.5, 0.0)),
    )
    assert not torch.allclose(outcome(unet, hooks), plain)
    assert repr(unet) == described and list(unet.state_dict()) == names
    assert torch.equal(outcome(unet), plain)


@pytest.mark.parametrize(
    "block", ["conv_in", "down_blocks.0.resnets.1", "down_blocks.0.downsamplers.0", "down_blocks.1.attentions.0"]
)
def test_a_sketch_feature_is_added_to_the_output_of_its_block(unet: ReferenceUNet, block: str) -> None:
    """As a forward hook on diffusers' module would add it."""
    module, sizes = unet.unet.get_submodule(block), list[torch.Size]()

    def add(module: object, inputs: object, output: Tensor | tuple[Tensor, ...]) -> Tensor | tuple[Tensor, ...]:
        sizes.append(output[0].shape if isinstance(output, tuple) else output.shape)
        return (output[0] + 0.7,) if isinstance(output, tuple) else output + 0.7

    handle = module.register_forward_hook(add)
    try:
        wanted = outcome(unet)
    finally:
        handle.remove()
    assert len(sizes) == 1
    found = outcome(unet, UNetHooks({block: torch.full((1, *sizes[0][1:]), 0.7)}))
    torch.testing.assert_close(found, wanted, atol=1e-6, rtol=1e-5)
    assert not torch.allclose(found, outcome(unet))


@pytest.mark.parametrize("block", ["down_blocks.5.resnets.0", "mid_block.resnets.0", ""])
def test_a_sketch_feature_for_no_encoder_block_is_refused(unet: ReferenceUNet, block: str) -> None:
    with pytest.raises(ValueError, match="no block"):
        outcome(unet, UNetHooks({block: torch.zeros(1)}))


def test_every_decoder_block_has_its_skip_transformed_once_deepest_first(unet: ReferenceUNet) -> None:
    calls: list[tuple[int, int]] = []

    def transform(index: int, skip: Tensor) -> Tensor:
        calls.append((index, skip.shape[1]))
        return skip

    assert torch.equal(outcome(unet, UNetHooks(transform_skip=transform)), outcome(unet))
    assert calls == [(index, width) for index, (width, _) in enumerate(DECODER_WIDTHS)]


@pytest.mark.parametrize("changed", range(DECODER_BLOCKS))
def test_another_skip_changes_the_output(unet: ReferenceUNet, changed: int) -> None:
    hooks = UNetHooks(transform_skip=lambda index, skip: skip + (index == changed))
    assert not torch.allclose(outcome(unet, hooks), outcome(unet))


def test_every_decoder_block_is_modulated_once_after_its_up_sampler(unet: ReferenceUNet) -> None:
    calls: list[tuple[int, torch.Size, torch.Size]] = []

    def modulate(index: int, output: Tensor, time: Tensor) -> Tensor:
        calls.append((index, output.shape[1:], time.shape))
        return output

    assert torch.equal(outcome(unet, UNetHooks(modulate=modulate)), outcome(unet))
    sizes = [(4, 6), (4, 6), (8, 12), (8, 12), (8, 12), (8, 12)]
    wanted = [(i, (width, *size), (2, 32)) for i, ((_, width), size) in enumerate(zip(DECODER_WIDTHS, sizes, strict=True))]
    assert calls == wanted


@pytest.mark.parametrize("changed", range(DECODER_BLOCKS))
def test_another_modulation_changes_the_output(unet: ReferenceUNet, changed: int) -> None:
    def modulate(index: int, output: Tensor, time: Tensor) -> Tensor:
        return output + (index == changed) * torch.linspace(0, 1, output.shape[1])[:, None, None]

    assert not torch.allclose(outcome(unet, UNetHooks(modulate=modulate)), outcome(unet), atol=1e-4)


def test_the_time_embedding_that_a_modulation_gets_is_that_of_the_time_step(unet: ReferenceUNet) -> None:
    embeddings: list[Tensor] = []

    def modulate(index: int, output: Tensor, time: Tensor) -> Tensor:
        embeddings.append(time)
        return output

    with torch.no_grad():
        for t in (481, 20):
            unet(latent(), torch.tensor(t), cross_attention(), UNetHooks(modulate=modulate))
        wanted = unet.unet.time_embedding(unet.unet.time_proj(torch.tensor([481, 481])))
    torch.testing.assert_close(embeddings[0], wanted)
    assert not torch.allclose(embeddings[0], embeddings[-1])


def test_what_another_pass_stores_is_numbered_by_transformer_block(unet: ReferenceUNet) -> None:
    tokens = stored(unet)
    assert list(tokens) == list(range(BLOCKS))
    assert all(feature.shape == (1, 24, 16) for feature in tokens.values())


@pytest.mark.parametrize("beside_own", [True, False])
def test_a_mask_of_ones_shows_the_reference_and_one_of_zeros_hides_it(unet: ReferenceUNet, beside_own: bool) -> None:
    reference = ReferenceFeatures(stored(unet), beside_own)
    without_mask = outcome(unet, UNetHooks(reference=reference))
    masked = [
        outcome(unet, UNetHooks(reference=replace(reference, mask=torch.full((1, 1, 8, 12), value)))) for value in (1.0, 0.0)
    ]
    assert torch.equal(masked[0], without_mask) and not torch.allclose(without_mask, outcome(unet))
    torch.testing.assert_close(masked[1], outcome(unet))


def test_a_mask_hides_the_reference_at_its_positions_alone(unet: ReferenceUNet) -> None:
    """One block of one layer: the attended values behind the mask are the plain ones, the others those without a mask."""
    number = BLOCKS - 1
    mask = torch.zeros(1, 1, 8, 12)
    mask[..., :6] = 1.0
    reference = ReferenceFeatures({number: stored(unet)[number]}, beside_own=False)
    outputs: list[Tensor] = []
    attention = unet.unet.up_blocks[0].attentions[-1].transformer_blocks[-1].attn1
    handle = attention.register_forward_hook(lambda module, inputs, output: outputs.append(output.unflatten(1, (4, 6))))
    try:
        for hooks in (reference, replace(reference, mask=mask), None):
            outcome(unet, UNetHooks(reference=hooks))
    finally:
        handle.remove()
    unmasked, masked, plain = outputs
    torch.testing.assert_close(masked[:, :, :3], unmasked[:, :, :3])
    torch.testing.assert_close(masked[:, :, 3:], plain[:, :, 3:])
    assert not torch.allclose(unmasked, plain)


def test_blocks_without_reference_features_attend_to_their_own_tokens(unet: ReferenceUNet) -> None:
    tokens = stored(unet)
    assert torch.equal(outcome(unet, UNetHooks(reference=ReferenceFeatures({}))), outcome(unet))
    some = outcome(unet, UNetHooks(reference=ReferenceFeatures({number: tokens[number] for number in range(6, 12)})))
    assert not torch.allclose(some, outcome(unet, UNetHooks(reference=ReferenceFeatures(tokens))))


def test_full_style_fidelity_leaves_out_the_reference(unet: ReferenceUNet) -> None:
    reference = ReferenceFeatures(stored(unet), fidelity=(1.0, 0.0))
    found, plain = outcome(unet, UNetHooks(reference=reference)), outcome(unet)
    torch.testing.assert_close(found[0], plain[0], atol=1e-5, rtol=1e-4)
    assert not torch.allclose(found[1], plain[1])


def test_recomputing_blocks_gives_the_same_gradients_with_hooks(unet: ReferenceUNet) -> None:
    tokens = stored(unet)
    gradients: list[list[Tensor]] = []
    try:
        unet.requires_grad_(True)
        for checkpointing in (False, True):
            unet.checkpointing = checkpointing
            scale, shift = torch.ones((), requires_grad=True), torch.zeros((), requires_grad=True)
            feature, bank = torch.zeros(1, 16, 1, 1, requires_grad=True), tokens[7].clone().requires_grad_(True)
            hooks = UNetHooks(
                {"down_blocks.1.attentions.1": feature},
                lambda index, skip, scale=scale: torch.tanh(skip * scale),
                lambda index, output, time, shift=shift: output + shift * time.mean(),
                ReferenceFeatures(
                    {**tokens, 7: bank}, mask=torch.rand(1, 1, 8, 12, generator=torch.Generator().manual_seed(5))
                ),
            )
            loss = unet(latent(), TIME, cross_attention(split=split()), hooks).square().mean()
            learned = [scale, shift, feature, bank, *unet.parameters()]
            gradients.append(list(torch.autograd.grad(loss, learned)))
    finally:
        unet.checkpointing = False
        unet.requires_grad_(False)
    assert all(gradient.abs().max() > 0 for gradient in gradients[0][:4])
    for plain, recomputed in zip(*gradients, strict=True):
        torch.testing.assert_close(plain, recomputed, atol=1e-7, rtol=1e-5)
