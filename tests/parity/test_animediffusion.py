"""AnimeDiffusion's network and its ways through the noise, by the product's loader, against the golden vectors."""

from collections.abc import Callable, Iterator
from functools import cache

import pytest
import torch
from torch import Tensor

from backend.families.animediffusion.loader import load_unet
from backend.families.animediffusion.sampling import (
    add_noise,
    classifier_free_guidance,
    ddim_invert,
    ddim_sample,
    ddim_timesteps,
    ddpm_sample,
    ddpm_step,
)
from backend.imaging.line_extraction import FACE_SIGMAS, xdog_binary
from backend.imaging.thin_plate_warp import ThinPlateWarp, remap, warp_inside, warp_maps, warp_published
from backend.networks.animediffusion import AnimeUNet, embed_time
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
    output.check(embed_time(torch.tensor([0, 1, 901]), output.expected.shape[1]))


@covers("unet", "unet_no_t", versions=ONLY)
def test_one_look(output: Output) -> None:
    output.check(look(given("x_t"), golden(ANIME).inputs["t"] if output.name == "unet" else None))


@covers("q_sample", versions=ONLY)
def test_noised(output: Output) -> None:
    output.check(add_noise(given("reference"), given("noise"), golden(ANIME).inputs["t"]))


@covers("p_sample", versions=ONLY)
def test_an_ancestral_step(output: Output) -> None:
    time = golden(ANIME).inputs["t"]
    output.check(ddpm_step(given("x_t"), look(given("x_t"), time), time, given("noise")))


@covers("ddim*", versions=ONLY)
def test_steps_of_ddim(output: Output) -> None:
    steps, eta = (10 if "ddim10" in output.name else 6), (1.0 if "eta1" in output.name else 0.0)
    states: list[Tensor] = []

    def record(noisy: Tensor, time: Tensor | None) -> Tensor:
        states.append(noisy)
        return look(noisy, time)

    done = ddim_sample(record, given("x_t"), steps, eta, drawn(output.golden), lambda *_: None)
    output.check(states[1] if output.name.endswith(".first") else done)


@covers("fix_forward*", versions=ONLY)
def test_from_an_image_to_its_noise(output: Output) -> None:
    by = look if output.name.endswith("with_t") else timeless
    output.check(ddim_invert(by, given("reference"), given("noise"), 10))


def warp_of(name: str) -> ThinPlateWarp:
    return ThinPlateWarp(*golden(ANIME).inputs[name].tolist())


@covers("tps.?.map?", versions=ONLY)
def test_where_a_warped_image_is_taken_from(output: Output) -> None:
    height, width = output.expected.shape
    maps = warp_maps(warp_of(output.name[:5]), width, height, (width, height))
    output.check(torch.from_numpy(maps[output.name.endswith("y")]))


@covers("tps.0", "tps.1", versions=ONLY)
def test_a_warped_image(output: Output) -> None:
    """OpenCV takes places to 1/32 pixel: where one is rounded the other way a value may differ by one."""
    rgb = golden(ANIME).inputs["image_u8"].numpy()
    found, expected = warp_published(rgb, warp_of(output.name)).astype(int), output.expected.numpy()
    assert found.shape == expected.shape
    assert abs(found - expected).max() <= 1 and (found != expected).mean() < 5e-3
    height, width = rgb.shape[:2]
    maps = [output.golden.outputs[f"{output.name}.map{axis}"].numpy() for axis in "xy"]
    output.check(torch.from_numpy(remap(rgb, *maps)))
    x, y = warp_maps(warp_of(output.name), width, height, (width - 1, height - 1))
    assert x[-1, -1] == pytest.approx(width - 1, abs=1e-3) and y[-1, -1] == pytest.approx(height - 1, abs=1e-3)
    assert warp_inside(rgb, warp_of(output.name))[-1].any()


@covers("xdog.*", versions=ONLY)
def test_lines_of_an_image(output: Output) -> None:
    sigma = float(output.name.removeprefix("xdog."))
    assert sigma in FACE_SIGMAS
    output.check(torch.from_numpy(255 - xdog_binary(golden(ANIME).inputs["image_u8"].numpy(), sigma)))


def test_guidance_pushes_away_from_what_no_reference_gives() -> None:
    reference, noisy, time = given("distorted")[:1], given("x_t")[:1], torch.tensor([401])

    def rows(noisy: Tensor, time: Tensor | None, references: Tensor) -> Tensor:
        return unet()(noisy, given("condition")[:1].expand(len(noisy), -1, -1, -1), references, time)

    with_reference, without_reference = rows(noisy, time, reference), rows(noisy, time, torch.zeros_like(reference))
    assert torch.equal(classifier_free_guidance(rows, reference, 1.0)(noisy, time), with_reference)
    torch.testing.assert_close(
        classifier_free_guidance(rows, reference, 3.0)(noisy, time),
        without_reference + 3 * (with_reference - without_reference),
        atol=1e-4,
        rtol=1e-4,
    )


def test_the_last_of_all_steps_adds_no_noise() -> None:
    noisy, noise, first = given("x_t"), given("noise"), torch.tensor([0, 0])
    assert torch.equal(ddpm_step(noisy, noise, first, noise), ddpm_step(noisy, noise, first, -noise))


def test_all_steps_add_as_much_noise_as_is_asked_for() -> None:
    found: dict[tuple[float, int], Tensor] = {}
    for eta in (0.0, 1.0):
        for seed in (0, 1):
            generator = torch.Generator().manual_seed(seed)
            draw = lambda generator=generator: torch.randn(1, 3, 8, 8, generator=generator)  # noqa: E731
            found[eta, seed] = ddpm_sample(lambda noisy, time: noisy * 0.1, torch.ones(1, 3, 8, 8), eta, draw, lambda *_: None)
    assert torch.equal(found[0.0, 0], found[0.0, 1]) and not torch.equal(found[1.0, 0], found[1.0, 1])


def test_times_as_published() -> None:
    assert ddim_timesteps(10) == [901, 801, 701, 601, 501, 401, 301, 201, 101, 1]
    assert ddim_timesteps(6) == [831, 665, 499, 333, 167, 1]
    assert ddim_timesteps(999)[0] == 999
    for steps in (0, 1000):
        with pytest.raises(ValueError, match="steps"):
            ddim_timesteps(steps)
