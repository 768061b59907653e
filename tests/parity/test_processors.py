"""Processors leave no trace; what is saved changes nothing; who asks for nothing pays nothing."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from diffusers import UNet2DConditionModel
from torch import Tensor, nn
from torch.nn import functional

from backend.networks.colorizediffusion.attention_inputs import CrossAttentionInput, Ranks
from backend.networks.colorizediffusion.half_selectors import HardSelector
from backend.networks.colorizediffusion.hooks import UNetHooks
from backend.networks.colorizediffusion.transformer_blocks import cross_attentions, install_processors, restore_processors
from backend.networks.colorizediffusion.unet import ReferenceUNet
from benchmarks.colorizediffusion import flop_counter
from tests.parity.golden import golden
from tests.parity.loaded import cross_attention_of, everywhere, features, parts, tokens

SINGLE_PASS = 1e-5
PAIRS: Ranks = {"to_q": {"foreground": 4, "background": 2}, "to_k": {"foreground": 4, "background": 8}}


@pytest.fixture
def plain() -> UNet2DConditionModel:
    """A small U-Net as diffusers makes it."""
    torch.manual_seed(0)
    settings: dict[str, Any] = {
        "block_out_channels": (16, 32, 64, 64),
        "attention_head_dim": (2, 4, 8, 8),
        "norm_num_groups": 4,
        "cross_attention_dim": 64,
    }
    return UNet2DConditionModel(**settings).eval()


def outcome(unet: UNet2DConditionModel) -> Tensor:
    draw = torch.Generator().manual_seed(1)
    latent, context = torch.randn(2, 4, 16, 24, generator=draw), torch.randn(2, 7, 64, generator=draw)
    return unet(latent, torch.tensor(481), context, return_dict=False)[0]


def test_processors_are_put_in_and_taken_out_without_a_trace(plain: UNet2DConditionModel) -> None:
    state, modules, result = plain.state_dict(), [id(m) for m in plain.modules()], outcome(plain)
    processors = dict(plain.attn_processors)
    before = install_processors(plain, [PAIRS] * 16)
    assert dict(plain.attn_processors) != processors and len(plain.state_dict()) == len(state) + 16 * 8
    restore_processors(plain, before)
    assert {name: id(one) for name, one in plain.attn_processors.items()} == {name: id(one) for name, one in processors.items()}
    assert [id(m) for m in plain.modules()] == modules
    after = plain.state_dict()
    assert list(after) == list(state) and all(after[name].data_ptr() == state[name].data_ptr() for name in state)
    assert torch.equal(outcome(plain), result)


def test_a_released_network_is_what_it_was(plain: UNet2DConditionModel) -> None:
    names, result = list(plain.state_dict()), outcome(plain)
    unet = ReferenceUNet(plain).unwrap()
    assert unet is plain and list(unet.state_dict()) == names and torch.equal(outcome(unet), result)


def test_without_sketch_mask_and_memory_it_is_diffusers_own_network(plain: UNet2DConditionModel) -> None:
    result = outcome(plain)
    draw = torch.Generator().manual_seed(1)
    latent, context = torch.randn(2, 4, 16, 24, generator=draw), torch.randn(2, 7, 64, generator=draw)
    found = ReferenceUNet(plain)(latent, torch.tensor(481), CrossAttentionInput(context, everywhere(1.0), None))
    assert (found - result).abs().max() < SINGLE_PASS


def counted(monkeypatch: pytest.MonkeyPatch, tokens: int) -> list[int]:
    """Rows of each attention to ``tokens`` tokens from now on; no self-attention may have as many."""
    rows: list[int] = []
    attend: Callable[..., Tensor] = functional.scaled_dot_product_attention

    def count(query: Tensor, key: Tensor, value: Tensor, *options: Any) -> Tensor:
        if key.shape[2] == tokens:
            rows.append(len(query))
        return attend(query, key, value, *options)

    monkeypatch.setattr(functional, "scaled_dot_product_attention", count)
    return rows


@pytest.mark.parametrize(("version", "mode"), [("v1", "vanilla"), ("v1", "bg_enhance"), ("v1.5", "vanilla"), ("v1.5", "both")])
def test_a_row_without_reference_costs_no_attention_and_nothing_changes(
    version: str, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    g, unet = golden(version), parts(version).unet
    cross_attention = cross_attention_of(version, mode)
    three = replace(
        cross_attention,
        context=torch.cat([cross_attention.context, torch.zeros_like(cross_attention.context), cross_attention.context]),
    )
    sketch, blank = features(version)
    hooks = UNetHooks({block: torch.cat([x, x, blank[block]]) for block, x in sketch.items()})
    latent = g.inputs["x_t"].expand(3, -1, -1, -1)
    full = unet(latent, g.inputs["timestep"], three, hooks)
    rows = counted(monkeypatch, cross_attention.context.shape[1] // (1 if cross_attention.split is None else 2))
    saved = unet(latent, g.inputs["timestep"], unet.prepare(three), hooks)
    assert (saved - full).abs().max() < SINGLE_PASS
    assert rows == [2] * (16 if cross_attention.split is None else 32)


def test_a_batch_without_any_reference_attends_to_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    g, unet = golden("v1.5"), parts("v1.5").unet
    cross_attention = cross_attention_of("v1.5", "both")
    none = replace(cross_attention, context=torch.zeros_like(cross_attention.context))
    full = unet(g.inputs["x_t"], g.inputs["timestep"], none, UNetHooks(features("v1.5")[0]))
    rows = counted(monkeypatch, cross_attention.context.shape[1] // 2)
    saved = unet(g.inputs["x_t"], g.inputs["timestep"], unet.prepare(none), UNetHooks(features("v1.5")[0]))
    assert rows == [] and (saved - full).abs().max() < SINGLE_PASS


def test_one_zero_token_is_as_good_as_256() -> None:
    g, unet = golden("v1"), parts("v1").unet
    zero = CrossAttentionInput(torch.zeros(1, 1, 64), everywhere(1.0), None)
    found = unet(g.inputs["x_t"], g.inputs["timestep"], zero, UNetHooks(features("v1")[0]))
    assert (found - g.outputs["unet.vanilla.uncond_ref"]).abs().max() < SINGLE_PASS


@pytest.mark.parametrize("version", ["v1", "v1.5"])
def test_keys_and_values_are_computed_once_for_all_steps(version: str) -> None:
    g, unet = golden(version), parts(version).unet
    cross_attention = cross_attention_of(version, "bg_enhance")
    asked: list[int] = []
    linears = [linear for attn in cross_attentions(unet.unet) for linear in (attn.to_k, attn.to_v)]
    hooks = [linear.register_forward_hook(lambda *_: asked.append(1)) for linear in linears if isinstance(linear, nn.Module)]
    try:
        prepared = unet.prepare(cross_attention)
        assert len(asked) == 2 * 16 * 2
        for t in (981, 481, 1):
            saved = unet(g.inputs["x_t"], torch.tensor([t]), prepared, UNetHooks(features(version)[0]))
            assert len(asked) == 2 * 16 * 2
    finally:
        for hook in hooks:
            hook.remove()
    assert (
        saved - unet(g.inputs["x_t"], torch.tensor([1]), cross_attention, UNetHooks(features(version)[0]))
    ).abs().max() < SINGLE_PASS


def test_a_run_with_a_mask_leaves_nothing_for_the_next() -> None:
    """Quirk Q3 of the published code: the low-rank pairs of one run acted in the next."""
    g, unet = golden("v1.5"), parts("v1.5").unet
    vanilla = CrossAttentionInput(tokens("v1.5", "reference"), everywhere(1.0), None)
    asked, hooks = (g.inputs["x_t"], g.inputs["timestep"]), UNetHooks(features("v1.5")[0])
    before = unet(*asked, vanilla, hooks)
    unet(*asked, cross_attention_of("v1.5", "both"), hooks)
    assert torch.equal(unet(*asked, vanilla, hooks), before)


def test_the_network_learns_through_its_forward() -> None:
    g, unet = golden("v1.5"), parts("v1.5").unet
    cross_attention = cross_attention_of("v1.5", "both_intended")
    learning = [p for name, p in unet.named_parameters() if ".pairs." in name]
    assert len(learning) == 16 * 3 * 2 * 2
    try:
        for parameter in learning:
            parameter.requires_grad_(True)
        with torch.enable_grad():
            unet(
                g.inputs["x_t"], g.inputs["timestep"], cross_attention, UNetHooks(features("v1.5")[0])
            ).square().mean().backward()
        assert all(p.grad is not None and bool(p.grad.abs().max() > 0) for p in learning)
    finally:
        for parameter in learning:
            parameter.requires_grad_(False).grad = None


def test_latents_that_do_not_divide_by_eight_keep_their_size() -> None:
    unet, encoder = parts("v1").unet, parts("v1").sketch_encoder
    sketch = torch.full((1, 3, 8 * 15, 8 * 20), -1.0)
    x = torch.zeros(1, 4, 15, 20)
    cross_attention = CrossAttentionInput(tokens("v1", "reference"), everywhere(1.0), None)
    assert unet(x, torch.tensor(10.5), cross_attention, UNetHooks(encoder(sketch))).shape == x.shape


@pytest.mark.parametrize(("version", "same_as"), [("v1", -1.0), ("v1.5", 2.0)])
def test_a_mask_of_exactly_the_threshold(version: str, same_as: float) -> None:
    """Foreground in layers without low-rank pairs, background in layers with them (spec 9)."""
    g, unet = golden(version), parts(version).unet
    cross_attention = cross_attention_of(version, "bg_enhance")
    assert cross_attention.split is not None
    found: list[Tensor] = []
    for threshold in (0.5, same_as, 1.0 - same_as):
        split = replace(
            cross_attention.split,
            mask=torch.full_like(cross_attention.split.mask, 0.5),
            selector=HardSelector(everywhere(threshold)),
        )
        asked = g.inputs["x_t"], g.inputs["timestep"], replace(cross_attention, split=split), UNetHooks(features(version)[0])
        found.append(unet(*asked))
    assert torch.equal(found[0], found[1]) and not torch.equal(found[0], found[2])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_benchmark_counts_attention(dtype: torch.dtype) -> None:
    """torch's own counter takes a CPU's attention, which is what is saved, for nothing."""
    query, key = torch.randn(2, 5, 64, 8, dtype=dtype), torch.randn(2, 5, 16, 8, dtype=dtype)
    with flop_counter() as counted:
        nn.functional.scaled_dot_product_attention(query, key, key)
    assert counted.get_total_flops() == 2 * 2 * 2 * 5 * 64 * 16 * 8
