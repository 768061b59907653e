"""One color a region: the best bet, and its variations."""

import numpy as np
import torch

from backend.families.mini.color_choice import choose_colors, sample_colors

COLORS = np.array([[200, 40, 40], [206, 46, 46], [196, 34, 38], [40, 60, 200], [250, 250, 250]], np.uint8)
EVERYTHING = np.ones((1, 5), np.bool_)


def _log(*shares: float) -> torch.Tensor:
    return torch.tensor([shares]).log()


def test_three_shades_of_red_outvote_one_blue() -> None:
    assert choose_colors(_log(0.25, 0.25, 0.1, 0.39, 0.01), EVERYTHING, COLORS)[0] in (0, 1, 2)
    assert choose_colors(_log(0.1, 0.1, 0.1, 0.69, 0.01), EVERYTHING, COLORS)[0] == 3


def test_a_forbidden_color_is_never_chosen() -> None:
    permitted = np.array([[False, False, False, True, True]])
    log_prob = _log(0.9, 0.05, 0.04, 0.005, 0.005)
    assert choose_colors(log_prob, permitted, COLORS)[0] in (3, 4)
    for seed in range(1, 40):
        assert sample_colors(log_prob, permitted, COLORS, torch.zeros(1, 8), seed)[0] in (3, 4)


def test_seeds_repeat_and_vary() -> None:
    generator = torch.Generator().manual_seed(0)
    log_prob = torch.randn(60, 5, generator=generator).log_softmax(-1)
    tokens = torch.randn(60, 32, generator=generator)
    permitted = np.ones((60, 5), np.bool_)
    picks = [sample_colors(log_prob, permitted, COLORS, tokens, seed) for seed in (1, 1, 2)]
    assert np.array_equal(picks[0], picks[1])
    assert (picks[0] != picks[2]).mean() > 0.1


def test_regions_that_are_alike_vary_together() -> None:
    generator = torch.Generator().manual_seed(1)
    kinds = torch.randn(4, 32, generator=generator)
    tokens = kinds.repeat_interleave(15, 0) + 0.01 * torch.randn(60, 32, generator=generator)
    log_prob = torch.full((60, 3), 1 / 3).log()
    permitted = np.ones((60, 3), np.bool_)
    colors = COLORS[[0, 3, 4]]  # nothing alike: near ties between shades would flip on their own
    choices, together = set(), list[float]()
    for seed in range(1, 9):
        picks = sample_colors(log_prob, permitted, colors, tokens, seed).reshape(4, 15)
        together += [np.bincount(row).max() / 15 for row in picks]
        choices.update(picks[:, 0].tolist())
    assert len(choices) > 1 and np.mean(together) > 0.9  # drawn one by one it would be about a half


def test_a_sure_region_stays() -> None:
    log_prob = _log(0.0025, 0.0025, 0.0025, 0.99, 0.0025)
    picks = [int(sample_colors(log_prob, EVERYTHING, COLORS, torch.zeros(1, 8), seed)[0]) for seed in range(1, 30)]
    assert picks.count(3) >= 27
