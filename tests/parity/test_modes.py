"""The contexts of all modes as the family makes them, and whole guided steps of them."""

import pytest
import torch
from torch import Tensor

from backend.families.colorizediffusion.guided_denoiser import GuidedDenoiser
from backend.families.diffusion.guidance import Guidance
from backend.families.diffusion.noise_schedule import Schedule
from backend.families.diffusion.samplers import Sampler
from backend.families.diffusion.sampling import sample
from tests.parity.golden import Output, covers, golden
from tests.parity.loaded import parts
from tests.parity.modes import CASES, conditioning


@covers("context.*")
def test_contexts(output: Output) -> None:
    output.check(conditioning(output.version, output.name.split(".")[1]).cross_attention.context)


@covers("unet.*.cond")
def test_a_step_without_guidance(output: Output) -> None:
    _, name, _ = output.name.split(".")
    guided = GuidedDenoiser(parts(output.version).unet, conditioning(output.version, name), Guidance())
    inputs = output.golden.inputs
    output.check(guided(inputs["x_t"], float(inputs["timestep"])))


@pytest.mark.parametrize(("version", "name"), [(v, name) for v, cases in CASES.items() for name in cases])
def test_a_step_guided_by_reference_and_sketch_in_every_mode(version: str, name: str) -> None:
    g = golden(version)
    guided = GuidedDenoiser(parts(version).unet, conditioning(version, name), Guidance(3.0, 2.0))
    cond, no_reference = (g.outputs[f"unet.{name}.{branch}"] for branch in ("cond", "uncond_ref"))
    no_sketch = g.outputs.get(f"unet.{name}.uncond_sketch")
    if no_sketch is None:  # some files have it for some modes alone
        alone = GuidedDenoiser(parts(version).unet, conditioning(version, name), Guidance(3.0))
        wanted = no_reference + 3 * (cond - no_reference)
        assert torch.allclose(alone(g.inputs["x_t"], float(g.inputs["timestep"])), wanted, atol=5e-4)
        return
    wanted = 0.5 * (no_reference + 3 * (cond - no_reference) + no_sketch + 2 * (cond - no_sketch))
    assert torch.allclose(guided(g.inputs["x_t"], float(g.inputs["timestep"])), wanted, atol=5e-4)


@covers("sample.bg_enhance_ddim_v", "sample.bg_enhance_ddim_dual_v", "sample.style_bg_*", "sample.vanilla_ddim_eps")
def test_whole_images(output: Output) -> None:
    name = next(mode for mode in ("vanilla", "bg_enhance", "style_bg") if mode in output.name)
    scales = Guidance(3.0, 2.0) if "dual" in output.name else Guidance(3.0)
    guided = GuidedDenoiser(parts(output.version).unet, conditioning(output.version, name), scales)
    prediction = "eps" if output.name.endswith("_eps") else "v"
    output.check(_sampled(guided, output.golden.inputs["noise_init"], prediction))


def test_outside_its_window_the_reference_is_left_out_and_the_batch_is_one() -> None:
    g, vanilla = golden("v1"), conditioning("v1", "vanilla")
    unet, sizes = parts("v1").unet, list[int]()
    handle = unet.unet.conv_in.register_forward_hook(lambda module, given, result: sizes.append(len(given[0])))
    try:
        guided = GuidedDenoiser(unet, vanilla, Guidance(3.0, end=0.2))
        found = guided(g.inputs["x_t"], float(g.inputs["timestep"]))
        guided(g.inputs["x_t"], 999.0)
    finally:
        handle.remove()
    assert sizes == [1, 2]
    assert torch.allclose(found, g.outputs["unet.vanilla.uncond_ref"], atol=1e-4)


def _sampled(guided: GuidedDenoiser, noise: Tensor, prediction: str) -> Tensor:
    assert prediction in ("eps", "v")
    generator = torch.Generator().manual_seed(0)
    return sample(guided, noise, Sampler.DDIM, Schedule.AUTOMATIC, 6, prediction, generator, lambda *_: None)
