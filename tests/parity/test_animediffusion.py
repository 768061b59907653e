"""AnimeDiffusion's network and its ways through the noise, by the product's loader, against the golden vectors."""

from collections.abc import Callable, Iterator
from functools import cache

import pytest
import torch
from torch import Tensor

from backend.families.animediffusion.diffusion import ancestral_step, ddim, ddim_times, inverted, noised
from backend.families.animediffusion.loading import load_unet
from backend.networks.animediffusion import AnimeUNet, embedded_time
from tests.parity.golden import ANIME, Golden, Output, covers, golden

ONLY = (ANIME,)


@cache
def unet() -> AnimeUNet:
    return load_unet(golden(ANIME).sd)


def given(name: str) -> Tensor:
    return golden(ANIME).inputs[name].float()


def look(noisy: Tensor, time: Tensor | None) -> Tensor:
    return unet()(noisy, given("condition"), given("distorted"), time)


def timeless(noisy: Tensor, time: Tensor | None) -> Tensor:
    return look(noisy, None)


def drawn(g: Golden) -> Callable[[], Tensor]:
    noises: Iterator[Tensor] = iter(g.inputs["step_noise"].float())
    return lambda: next(noises)


@covers("time_embedding", versions=ONLY)
def test_time_embedding(output: Output) -> None:
    output.check(embedded_time(torch.tensor([0, 1, 901]), output.expected.shape[1]))


@covers("unet", "unet_no_t", versions=ONLY)
def test_one_look(output: Output) -> None:
    output.check(look(given("x_t"), golden(ANIME).inputs["t"] if output.name == "unet" else None))


@covers("q_sample", versions=ONLY)
def test_noised(output: Output) -> None:
    output.check(noised(given("reference"), given("noise"), golden(ANIME).inputs["t"]))


@covers("p_sample", versions=ONLY)
def test_an_ancestral_step(output: Output) -> None:
    time = golden(ANIME).inputs["t"]
    output.check(ancestral_step(given("x_t"), look(given("x_t"), time), time, given("noise")))


@covers("ddim*", versions=ONLY)
def test_steps_of_ddim(output: Output) -> None:
    steps, eta = (10 if "ddim10" in output.name else 6), (1.0 if "eta1" in output.name else 0.0)
    states: list[Tensor] = []

    def seen(noisy: Tensor, time: Tensor | None) -> Tensor:
        states.append(noisy)
        return look(noisy, time)

    done = ddim(seen, given("x_t"), steps, eta, drawn(output.golden), lambda *_: None)
    output.check(states[1] if output.name.endswith(".first") else done)


@covers("fix_forward*", versions=ONLY)
def test_from_a_picture_to_its_noise(output: Output) -> None:
    by = look if output.name.endswith("with_t") else timeless
    output.check(inverted(by, given("reference"), given("noise"), 10))


def test_times_as_published() -> None:
    assert ddim_times(10) == [901, 801, 701, 601, 501, 401, 301, 201, 101, 1]
    assert ddim_times(6) == [831, 665, 499, 333, 167, 1]
    assert ddim_times(999)[0] == 999
    for steps in (0, 1000):
        with pytest.raises(ValueError, match="steps"):
            ddim_times(steps)
