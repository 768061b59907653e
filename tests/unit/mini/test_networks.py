"""Shapes, and that tokens which must not be looked at are not."""

import torch

from backend.families.mini_features import GRID
from backend.networks.flats import Flats, Palette, Picture
from backend.networks.foreground import Foreground
from backend.networks.layers import split_bias
from backend.networks.painted import Painted


def _picture(generator: torch.Generator, regions: int, real: int) -> Picture:
    pool = torch.rand(1, regions, GRID**2, generator=generator)
    return Picture(
        torch.rand(1, 3, 256, 256, generator=generator),
        pool / pool.sum(-1, keepdim=True),
        torch.rand(1, regions, 14, generator=generator),
        torch.arange(regions)[None] < real,
    )


def test_flats_gives_probabilities_of_allowed_colours_only() -> None:
    generator = torch.Generator().manual_seed(0)
    drawing, reference = _picture(generator, 5, 5), _picture(generator, 6, 6)
    palette = Palette(torch.rand(1, 6, 3, generator=generator), torch.tensor([[0, 0, 1, 2, 2, 2]]), 3)
    allowed = torch.ones(1, 5, 6, dtype=torch.bool)
    allowed[0, 0, :3] = False
    answer = Flats().eval()(drawing, reference, palette, allowed)
    assert answer.log_prob.shape == (1, 5, 3)
    torch.testing.assert_close(answer.log_prob.exp().sum(-1), torch.ones(1, 5), atol=1e-4, rtol=0)
    assert bool((answer.log_prob[0, 0, :2] < -15).all())


def test_padding_changes_nothing() -> None:
    torch.manual_seed(1)
    network = Flats().eval()
    generator = torch.Generator().manual_seed(2)
    drawing, reference = _picture(generator, 7, 4), _picture(generator, 9, 6)
    palette = Palette(torch.rand(1, 9, 3, generator=generator), torch.randint(0, 3, (1, 9), generator=generator), 3)
    allowed = torch.ones(1, 7, 9, dtype=torch.bool)

    def cut(picture: Picture, n: int) -> Picture:
        return Picture(picture.picture, picture.pool[:, :n], picture.geometry[:, :n], picture.valid[:, :n])

    padded = network(drawing, reference, palette, allowed).log_prob[:, :4]
    short = Palette(palette.lab[:, :6], palette.entry[:, :6], 3)
    plain = network(cut(drawing, 4), cut(reference, 6), short, allowed[:, :4, :6]).log_prob
    torch.testing.assert_close(padded, plain, atol=1e-4, rtol=1e-4)


def test_painted_and_foreground_keep_the_size() -> None:
    painted, drop = Painted().eval(), torch.tensor([False, True])
    given = painted.condition(
        torch.rand(2, 1, 256, 256), torch.rand(2, 1, 64, 64), torch.rand(2, 3, 64, 64), torch.rand(2, 3, 128, 128),
        torch.rand(2, 1, 32, 32), drop,
    )  # fmt: skip
    assert painted(torch.randn(2, 3, 64, 64), torch.rand(2), given).shape == (2, 3, 64, 64)
    logits = Foreground().eval()(torch.rand(2, 1, 256, 256), torch.rand(2, 3, 128, 128), torch.tensor([0.0, 1.0]))
    assert logits.shape == (2, 1, 256, 256)


def test_a_withheld_reference_cannot_be_seen() -> None:
    painted = Painted().eval()
    shown = (torch.rand(1, 1, 256, 256), torch.rand(1, 1, 64, 64), torch.rand(1, 3, 64, 64))
    first, second = (
        painted.condition(*shown, torch.rand(1, 3, 128, 128), torch.rand(1, 1, 32, 32), torch.tensor([True])) for _ in range(2)
    )
    for a, b in zip(first, second, strict=True):
        assert torch.equal(a, b)


def test_split_bias_prefers_the_same_side_and_is_flat_without_a_mask() -> None:
    bias = split_bias(torch.tensor([[1.0, 0.0, 0.5]]), torch.tensor([[1.0, 0.0]]))[0, 0]
    assert bias[0, 0] > bias[0, 1] + 3 and bias[1, 1] > bias[1, 0] + 3
    assert bias[2, 0] == bias[2, 1]
