"""A copied background is what the network sees at every step, whichever sampler walks there."""

import pytest
import torch
from torch import Tensor

from backend.families.diffusion.latent_copy import LatentCopy
from backend.families.diffusion.noise_schedule import Schedule, t_to_sigma
from backend.families.diffusion.samplers import Sampler
from backend.families.diffusion.sampling import sample

STEPS = 8
SHAPE = (1, 4, 6, 8)
TWICE = (Sampler.K_HEUN, Sampler.K_DPMPP_SDE, Sampler.K_DPMPP_2S_A, Sampler.K_DPM2, Sampler.K_DPM2_A)
"""They ask the network at points between two steps, too."""
OWN_LEVELS = (Sampler.K_DPM_FAST, Sampler.K_DPM_ADAPTIVE)
STATES = (Sampler.PNDM,)
"""Its first steps begin again from where they began."""


def copied(painted: Tensor) -> LatentCopy:
    generator = torch.Generator().manual_seed(3)
    return LatentCopy(torch.randn(SHAPE, generator=generator), painted, torch.randn(SHAPE, generator=generator))


def left_half() -> Tensor:
    painted = torch.zeros(1, 1, *SHAPE[2:], dtype=torch.bool)
    painted[..., :4] = True
    return painted


def walk(sampler: Sampler, edit: LatentCopy) -> tuple[Tensor, list[tuple[float, Tensor]]]:
    """The sampler's result with a network that finds no noise, and what the network was shown."""
    seen: list[tuple[float, Tensor]] = []

    def network(latent: Tensor, t: float) -> Tensor:
        seen.append((t, latent.clone()))
        return torch.zeros_like(latent)

    generator = torch.Generator().manual_seed(0)
    result = sample(network, edit.noise, sampler, Schedule.AUTOMATIC, STEPS, "eps", generator, lambda *_: None, edit)
    return result, seen


@pytest.mark.parametrize("sampler", [s for s in Sampler if s not in TWICE + OWN_LEVELS + STATES])
def test_the_network_sees_the_background_with_the_step_s_own_noise(sampler: Sampler) -> None:
    edit = copied(left_half())
    _, seen = walk(sampler, edit)
    assert len(seen) == STEPS
    for t, latent in seen[1:]:
        sigma = float(t_to_sigma(t))
        wanted = (edit.latent + sigma * edit.noise) / (1 + sigma**2) ** 0.5
        assert torch.allclose(latent[..., 4:], wanted[..., 4:], atol=1e-4)
        assert not torch.allclose(latent[..., :4], wanted[..., :4], atol=0.1)


@pytest.mark.parametrize("sampler", Sampler)
def test_every_sampler_ends_near_the_background(sampler: Sampler) -> None:
    edit = copied(left_half())
    result, _ = walk(sampler, edit)
    # The last step is the network's own; this one leaves the noise of the last level but one where it was.
    off = (result - edit.latent).abs()
    assert off[..., 4:].mean() < 0.4 * off[..., :4].mean()


@pytest.mark.parametrize("sampler", Sampler)
def test_where_everything_is_painted_nothing_changes(sampler: Sampler) -> None:
    edit = copied(torch.ones(1, 1, *SHAPE[2:], dtype=torch.bool))
    plain = sample(
        lambda latent, t: torch.zeros_like(latent),
        edit.noise,
        sampler,
        Schedule.AUTOMATIC,
        STEPS,
        "eps",
        torch.Generator().manual_seed(0),
        lambda *_: None,
    )
    assert torch.allclose(walk(sampler, edit)[0], plain, atol=1e-4)
