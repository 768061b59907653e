"""Hard, biased and soft selection against the formulas of the specification, written out."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from backend.networks.colorizediffusion.half_selectors import (
    AttentionHalf,
    BiasedSelector,
    HalfSelector,
    HardSelector,
    SoftSelector,
    SplitCall,
)
from backend.networks.colorizediffusion.hooks import ReferenceFeatures, UNetHooks
from backend.networks.colorizediffusion.key_value import KeyValue
from backend.networks.colorizediffusion.unet import ReferenceUNet
from tests.unit.networks.colorizediffusion.tiny import TIME, constant, cross_attention, latent, split, tiny_unet

HEADS, DIM, POSITIONS = 2, 4, 9
STRENGTH, FOREGROUND, BACKGROUND, MERGE, THRESHOLD = 0.9, 0.7, 1.2, 0.3, 0.5


def drawn(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


MASK = torch.linspace(-0.1, 1.1, POSITIONS, dtype=torch.float64)[None, :, None]
"""Of nine positions; the fifth is exactly the threshold."""
QUERIES = [drawn(2, HEADS, POSITIONS, DIM, seed=seed) for seed in (0, 1)]
KEYS = [KeyValue(drawn(2, HEADS, n, DIM, seed=n), drawn(2, HEADS, n, DIM, seed=20 + n)) for n in (5, 6)]


def call(merge: float = MERGE, has_pairs: bool = True) -> SplitCall:
    return SplitCall(
        number=1,
        foreground=AttentionHalf(QUERIES[0], KEYS[0], STRENGTH * FOREGROUND),
        background=AttentionHalf(QUERIES[1], KEYS[1], STRENGTH * BACKGROUND),
        strength=STRENGTH,
        merge=merge,
        mask=MASK,
        has_pairs=has_pairs,
    )


def attended(side: int) -> Tensor:
    """softmax(q k / sqrt(d)) v of one half, (B, N, heads * d)."""
    weights = (QUERIES[side] @ KEYS[side].key.mT / DIM**0.5).softmax(-1)
    return (weights @ KEYS[side].value).transpose(1, 2).flatten(2)


def blended(merge: float) -> tuple[Tensor, Tensor]:
    background = attended(1) * STRENGTH * BACKGROUND
    foreground = attended(0) * STRENGTH * FOREGROUND
    return (1 - merge) * foreground + merge * background, background


THRESHOLDS = (9.0, THRESHOLD)
"""The call is of block 1."""


@pytest.mark.parametrize(("has_pairs", "tie"), [(True, False), (False, True)])
def test_hard(has_pairs: bool, tie: bool) -> None:
    foreground, background = blended(MERGE)
    found = HardSelector(THRESHOLDS).select(call(has_pairs=has_pairs))
    for position in range(POSITIONS):
        inside = tie if position == 4 else position > 4
        torch.testing.assert_close(found[:, position], (foreground if inside else background)[:, position])


def test_biased() -> None:
    found = BiasedSelector(THRESHOLDS).select(call())
    for position in range(POSITIONS):
        side = 0 if position > 4 else 1
        torch.testing.assert_close(found[:, position], STRENGTH * attended(side)[:, position])


def test_biased_is_hard_where_halves_have_no_strength_of_their_own() -> None:
    halves = (AttentionHalf(QUERIES[0], keys, STRENGTH) for keys in KEYS)
    same = SplitCall(1, *halves, strength=STRENGTH, merge=0.0, mask=MASK, has_pairs=True)
    torch.testing.assert_close(BiasedSelector(THRESHOLDS).select(same), HardSelector(THRESHOLDS).select(same))


@pytest.mark.parametrize("merge", [0.0, MERGE])
def test_soft(merge: float) -> None:
    foreground, background = blended(merge)
    found = SoftSelector().select(call(merge))
    torch.testing.assert_close(found, foreground * MASK + background * (1 - MASK))


def test_soft_keeps_the_number_format_of_the_values() -> None:
    half = AttentionHalf(QUERIES[0].bfloat16(), KeyValue(KEYS[0].key.bfloat16(), KEYS[0].value.bfloat16()), 1.0)
    assert SoftSelector().select(SplitCall(1, half, half, 1.0, 0.0, MASK.float(), True)).dtype is torch.bfloat16


@pytest.fixture(scope="module")
def unet() -> ReferenceUNet:
    return tiny_unet()


SELECTORS = (HardSelector(constant(0.5)), BiasedSelector(constant(0.5)), SoftSelector())


@torch.no_grad()
def test_the_network_takes_any_of_them(unet: ReferenceUNet) -> None:
    found = [unet(latent(), TIME, cross_attention(split=split(selector))) for selector in SELECTORS]
    assert not torch.allclose(found[0], found[1]) and not torch.allclose(found[1], found[2])


@torch.no_grad()
@pytest.mark.parametrize("selector", SELECTORS, ids=lambda selector: type(selector).__name__)
def test_prepared_keys_change_nothing(unet: ReferenceUNet, selector: HalfSelector) -> None:
    known = cross_attention(3, split(selector))
    known.context[1] = 0
    found = unet(latent(3), TIME, unet.prepare(known))
    torch.testing.assert_close(found, unet(latent(3), TIME, known), atol=1e-6, rtol=1e-5)


@torch.no_grad()
def test_both_halves_may_use_the_same_pair(unet: ReferenceUNet) -> None:
    divided = split()
    same = replace(divided, foreground_pair="background")
    found = [unet(latent(), TIME, cross_attention(split=each)) for each in (divided, same)]
    assert not torch.allclose(*found)


@torch.no_grad()
@pytest.mark.parametrize("selector", SELECTORS, ids=lambda selector: type(selector).__name__)
def test_blocks_of_half_precision_take_masks_of_full_precision(selector: HalfSelector) -> None:
    narrow, whole = tiny_unet().bfloat16(), tiny_unet()
    reference = ReferenceFeatures({11: torch.randn(1, 24, 16).bfloat16()}, mask=torch.rand(1, 1, 8, 12), fidelity=(0.0, 0.5))
    hooks, known = UNetHooks(reference=reference), cross_attention(split=split(selector))
    found = narrow(latent(), TIME, narrow.prepare(known), hooks)
    in_full = replace(reference, tokens={11: reference.tokens[11].float()})
    wanted = whole(latent(), TIME, known, replace(hooks, reference=in_full))
    assert found.dtype is torch.float32
    assert (found - wanted).abs().mean() < 0.1 * wanted.abs().mean()
