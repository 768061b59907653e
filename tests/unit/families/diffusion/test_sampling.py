"""Samplers on problems with a known solution: order, spread, repeatability, cancelling."""

import math

import pytest
import torch
from scipy.integrate import solve_ivp
from torch import Tensor

from backend.families.diffusion.noise_schedule import Schedule, get_sigmas, sigma_to_t, t_to_sigma, training_sigmas
from backend.families.diffusion.samplers import SAMPLERS, SCHEDULES, Sampler
from backend.families.diffusion.sampling import sample, sampler_sigmas
from tests.unit.families.diffusion.analytic import MEAN, SPREAD, driven, gaussian, network, run

STOCHASTIC = {
    Sampler.K_DPMPP_SDE,
    Sampler.K_DPMPP_2M_SDE,
    Sampler.K_DPMPP_2M_SDE_HEUN,
    Sampler.K_DPMPP_2S_A,
    Sampler.K_DPMPP_3M_SDE,
    Sampler.K_EULER_A,
    Sampler.K_DPM2_A,
}
OWN_LEVELS = {Sampler.K_DPM_FAST, Sampler.K_DPM_ADAPTIVE}
FIRST_ORDER = {Sampler.K_EULER, Sampler.K_EULER_A}
SECOND_ORDER = {
    sampler
    for sampler in Sampler
    if sampler.value.startswith("k_") and sampler not in FIRST_ORDER | OWN_LEVELS | {Sampler.K_LMS}
}


class Cancelled(Exception):
    """What a painter's cancel raises."""


def noise_of(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(7))


def error_of(sampler: Sampler, steps: int) -> float:
    """Distance from the exact solution of the driven problem on an exponential schedule.

    The problem is linear: the difference of two runs with one seed is free of the noise that was added.
    """
    start = torch.zeros(1, 1, 1, 1, dtype=torch.float64)
    pushed, plain = (run(sampler, steps, start, driven(push), Schedule.EXPONENTIAL, "eps") for push in (1.0, 0.0))
    ends_above_zero = sampler in OWN_LEVELS
    sigmas = training_sigmas()[::-1] if ends_above_zero else sampler_sigmas(sampler, Schedule.EXPONENTIAL, steps)[:-1]
    drift = 2 if sampler in STOCHASTIC else 1  # a reverse SDE of eta 1 moves twice as fast as the flow
    estimate = driven(1.0)
    exact = solve_ivp(
        lambda u, x: drift * (x - estimate(x, math.exp(u))), [math.log(sigmas[0]), math.log(sigmas[-1])], [0.0], rtol=1e-9
    ).y[0, -1]
    return abs(float(pushed - plain) - (exact if ends_above_zero else float(estimate(exact, sigmas[-1]))))


@pytest.mark.parametrize("sampler", sorted(SECOND_ORDER))
def test_second_order(sampler: Sampler) -> None:
    coarse, fine = error_of(sampler, 20), error_of(sampler, 80)
    assert fine < 3e-3
    assert math.log2(coarse / fine) / 2 > 1.6


@pytest.mark.parametrize("sampler", sorted(FIRST_ORDER))
def test_first_order(sampler: Sampler) -> None:
    coarse, fine = error_of(sampler, 20), error_of(sampler, 80)
    assert fine < 3e-2
    assert 0.9 < math.log2(coarse / fine) / 2 < 1.3


def test_high_orders_are_close_with_few_steps() -> None:
    assert error_of(Sampler.K_LMS, 20) < 1e-3
    assert error_of(Sampler.K_DPM_FAST, 40) < 3e-4
    assert error_of(Sampler.K_DPM_ADAPTIVE, 1) < 3e-3


@pytest.mark.parametrize("prediction", ["eps", "v"])
@pytest.mark.parametrize("sampler", list(Sampler))
def test_makes_the_distribution(sampler: Sampler, prediction: str) -> None:
    latent = run(sampler, 40, noise_of(1, 4, 80, 80), gaussian, Schedule.AUTOMATIC, prediction)  # type: ignore[arg-type]
    assert float(latent.mean()) == pytest.approx(MEAN, abs=0.03)
    assert float(latent.std()) == pytest.approx(SPREAD, rel=0.15 if sampler in FIRST_ORDER else 0.08)


@pytest.mark.parametrize("schedule", list(Schedule))
@pytest.mark.parametrize("sampler", [Sampler.K_DPMPP_2M, Sampler.K_HEUN, Sampler.K_DPMPP_SDE, Sampler.DPM, Sampler.UNIPC])
def test_takes_every_schedule(sampler: Sampler, schedule: Schedule) -> None:
    latent = run(sampler, 30, noise_of(1, 4, 60, 60), gaussian, schedule)
    assert float(latent.mean()) == pytest.approx(MEAN, abs=0.04)
    assert float(latent.std()) == pytest.approx(SPREAD, rel=0.12)


@pytest.mark.parametrize("sampler", list(Sampler))
@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_few_steps_are_finite(sampler: Sampler, steps: int) -> None:
    assert torch.isfinite(run(sampler, steps, noise_of(1, 4, 4, 4))).all()


@pytest.mark.parametrize("sampler", list(Sampler))
def test_repeats_from_the_seed_alone(sampler: Sampler) -> None:
    noise = noise_of(1, 4, 6, 6)
    torch.manual_seed(1)
    first = run(sampler, 6, noise, seed=5)
    torch.manual_seed(2)
    assert torch.equal(first, run(sampler, 6, noise, seed=5))
    other = run(sampler, 6, noise, seed=6)
    assert torch.equal(first, other) is (sampler not in STOCHASTIC)


@pytest.mark.parametrize("sampler", list(Sampler))
def test_reports_every_evaluation_and_ends_when_asked(sampler: Sampler) -> None:
    times: list[float] = []
    steps: list[tuple[int, int]] = []

    def denoiser(latent: Tensor, t: float) -> Tensor:
        times.append(t)
        return network(gaussian, "eps")(latent, t)

    def on_step(step: int, of: int, clean: Tensor) -> None:
        steps.append((step, of))
        assert clean.shape == (1, 4, 6, 6)
        if len(steps) == 5:
            raise Cancelled

    with pytest.raises(Cancelled):
        sample(denoiser, noise_of(1, 4, 6, 6), sampler, Schedule.AUTOMATIC, 8, "eps", torch.Generator(), on_step)
    assert len(times) == 5
    assert [of for _, of in steps] == [8] * 5
    assert [step for step, _ in steps] == sorted(step for step, _ in steps)


def test_last_report_is_the_last_step_and_the_result() -> None:
    reports: list[tuple[int, int, Tensor]] = []
    for sampler in (Sampler.K_HEUN, Sampler.K_DPMPP_2M, Sampler.K_DPM2, Sampler.DDIM):
        latent = sample(
            network(gaussian, "v"),
            noise_of(1, 4, 4, 4),
            sampler,
            Schedule.AUTOMATIC,
            7,
            "v",
            torch.Generator(),
            lambda *row: reports.append(row),
        )
        assert reports[-1][:2] == (7, 7)
        torch.testing.assert_close(reports[-1][2], latent, atol=1e-4, rtol=0)


def test_no_step_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        run(Sampler.DDIM, 0, noise_of(1, 4, 2, 2))
    with pytest.raises(ValueError, match="at least one"):
        get_sigmas(Schedule.KARRAS, 0)
    with pytest.raises(ValueError, match="automatic"):
        get_sigmas(Schedule.AUTOMATIC, 4)


def test_a_latent_that_is_not_finite_ends_the_adaptive_sampler() -> None:
    assert not torch.isfinite(run(Sampler.K_DPM_ADAPTIVE, 4, noise_of(1, 4, 2, 2), lambda x, _: x * math.nan)).any()


def test_times_and_levels_are_inverse() -> None:
    for t in (0.0, 0.25, 300.7, 999.0):
        assert float(sigma_to_t(t_to_sigma(t))) == pytest.approx(t, abs=1e-6)
    for schedule in set(Schedule) - {Schedule.AUTOMATIC}:
        listed = get_sigmas(schedule, 9)
        assert len(listed) == 10
        assert listed[-1] == 0
        assert (listed[:-1] > listed[1:]).all()


def test_every_name_can_be_chosen() -> None:
    assert {name for name, _ in SAMPLERS} == {sampler.value for sampler in Sampler}
    assert {name for name, _ in SCHEDULES} == {schedule.value for schedule in Schedule}


@pytest.mark.parametrize("sampler", [Sampler.K_EULER, Sampler.DPM, Sampler.K_DPM2])
def test_a_network_of_half_precision_does_not_round_the_latent(sampler: Sampler) -> None:
    half = network(gaussian, "v")
    noise, generator = noise_of(1, 4, 8, 8), torch.Generator()
    latent = sample(lambda x, t: half(x, t).bfloat16(), noise, sampler, Schedule.AUTOMATIC, 9, "v", generator, lambda *_: None)
    assert latent.dtype == torch.float32
    assert not torch.equal(latent, latent.bfloat16().float())
    torch.testing.assert_close(latent, run(sampler, 9, noise), atol=0.03, rtol=0)
