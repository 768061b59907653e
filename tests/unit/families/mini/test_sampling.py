"""The noise that the painted finish starts from, and the levels that its steps go through."""

import pytest

from backend.families.mini.family import _noise_levels, _noise_scale


def test_the_first_step_goes_to_seven_tenths_and_the_others_share_the_rest() -> None:
    assert _noise_levels(1) == [1.0]
    assert _noise_levels(2) == pytest.approx([1.0, 0.7])
    assert _noise_levels(4) == pytest.approx([1.0, 0.7, 0.7 * 2 / 3, 0.7 / 3])


def test_seed_0_starts_without_noise_and_every_other_seed_with_half_of_it() -> None:
    assert [_noise_scale(seed) for seed in (0, 1, 2**31)] == [0.0, 0.5, 0.5]
