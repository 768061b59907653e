"""The contexts of all modes as the family makes them, and whole guided steps of them."""

from dataclasses import dataclass, replace

import pytest
import torch
from torch import Tensor

from backend.families.colorizediffusion.conditioning import Encoders, ReferenceInputs
from backend.families.colorizediffusion.guided_denoiser import Conditioning, GuidedDenoiser, scale_features
from backend.families.colorizediffusion.layers import SD2_LAYERS
from backend.families.colorizediffusion.options import Strengths
from backend.families.colorizediffusion.preprocessing import latent_mask
from backend.families.diffusion.guidance import Guidance
from backend.families.diffusion.noise_schedule import Schedule
from backend.families.diffusion.samplers import Sampler
from backend.families.diffusion.sampling import sample
from backend.networks.clip import patch_tokens
from tests.parity.golden import Output, covers, golden
from tests.parity.loaded import features, parts, tokens

PLAIN = Strengths(*map(SD2_LAYERS.constant, (1.0, 1.0, 1.0, 0.0)), sketch_threshold=0.05, reference_threshold=0.5)


@dataclass(frozen=True)
class Case:
    mode: str
    strength: Strengths = PLAIN
    with_background: bool = False
    sketch: float = 1.0


def _mixed(reference: float, foreground: float, background: float, mixing: float) -> Strengths:
    return Strengths(
        *map(SD2_LAYERS.constant, (reference, foreground, background, mixing)), sketch_threshold=0.05, reference_threshold=0.5
    )


VANILLA = {
    "vanilla": Case("vanilla"),
    "vanilla_strength06": Case("vanilla", replace(PLAIN, reference=SD2_LAYERS.levels(0.6, 1, 1, 1))),
    "vanilla_levels": Case("vanilla", replace(PLAIN, reference=SD2_LAYERS.levels(1, 0.9, 0.5, 0.3))),
    "vanilla_sketch07": Case("vanilla", sketch=0.7),
}
CASES = {
    "v1": {
        **VANILLA,
        "bg_enhance": Case("masked"),
        "bg_enhance_bgimg_merge03": Case("masked", _mixed(1, 1, 1, 0.3), True),
        "bg_enhance_bgimg_scales": Case("masked", _mixed(1, 0.7, 0.4, 0.3), True),
    },
    "v1.5": {
        **VANILLA,
        "fg_enhance": Case("foreground"),
        "bg_enhance": Case("background"),
        "bg_enhance_bgimg": Case("background", with_background=True),
        "bg_enhance_merge035": Case("background", _mixed(1, 1, 1, 0.35)),
        "bg_enhance_scales": Case("background", _mixed(0.8, 0.7, 0.4, 0.35)),
        "both": Case("both-published"),
        "both_intended": Case("both"),
    },
}


def conditioning(version: str, name: str) -> Conditioning:
    """The family's conditioning of the U-Net in a golden mode."""
    case, g, one = CASES[version][name], golden(version), parts(version)
    encoders = Encoders(lambda image: patch_tokens(one.image_encoder(image)), lambda image: image)
    build = one.version.reference(encoders, one.extras)
    background = g.image("background") if case.with_background else None
    given = ReferenceInputs(
        tokens(version, "reference"), g.image("reference"), g.mask("rmask"), background, latent_mask(g.mask("smask"))
    )
    sketch, blank = (scale_features(each, case.sketch) for each in features(version))
    return Conditioning(sketch, blank, build(case.mode, case.strength, given).cross_attention)


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
    cond, no_reference, no_sketch = (g.outputs[f"unet.{name}.{b}"] for b in ("cond", "uncond_ref", "uncond_sketch"))
    wanted = 0.5 * (no_reference + 3 * (cond - no_reference) + no_sketch + 2 * (cond - no_sketch))
    assert torch.allclose(guided(g.inputs["x_t"], float(g.inputs["timestep"])), wanted, atol=5e-4)


@covers("sample.bg_enhance_ddim_v", "sample.bg_enhance_ddim_dual_v", "sample.vanilla_ddim_eps")
def test_whole_images(output: Output) -> None:
    name = "vanilla" if "vanilla" in output.name else "bg_enhance"
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
