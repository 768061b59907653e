"""Samples of six steps, and the image one of them decodes to."""

import torch
from torch import Tensor

from backend.families.diffusion.denoiser import Prediction
from backend.families.diffusion.guidance import Branch, Guidance
from backend.families.diffusion.noise_schedule import Schedule
from backend.families.diffusion.samplers import Sampler
from backend.families.diffusion.sampling import sample
from tests.parity.golden import Output, covers
from tests.parity.loaded import parts
from tests.parity.test_unet import branch

STEPS = 6
NAMES = {Branch.BOTH: "cond", Branch.NO_REFERENCE: "uncond_ref", Branch.NO_SKETCH: "uncond_sketch"}
SAMPLERS = {
    "ddim": (Sampler.DDIM, Schedule.AUTOMATIC),
    "dpm": (Sampler.DPM, Schedule.AUTOMATIC),
    "dpm_karras": (Sampler.DPM, Schedule.KARRAS),
    "kdpmpp2m": (Sampler.K_DPMPP_2M, Schedule.AUTOMATIC),
    "keuler_uniform": (Sampler.K_EULER, Schedule.UNIFORM),
}


def sampled(version: str, noise: Tensor, mode: str, sampler: str, guidance: Guidance, prediction: Prediction) -> Tensor:
    unet = parts(version).unet

    def denoiser(latent: Tensor, t: float) -> Tensor:
        rows = guidance.branches(t)
        outputs = {row: unet(latent, torch.tensor(t), *branch(version, mode, NAMES[row])) for row in rows}
        return guidance.combine(outputs)

    return sample(denoiser, noise, *SAMPLERS[sampler], STEPS, prediction, torch.Generator(), lambda *_: None)


@covers("sample.*")
def test_samples_of_six_steps(output: Output) -> None:
    mode = next(mode for mode in ("vanilla", "bg_enhance", "style_bg") if mode in output.name)
    way = output.name.removeprefix(f"sample.{mode}_")
    sampler, _, prediction = way.replace("_dual", "").rpartition("_")
    guidance = Guidance(3, 2) if "_dual" in way else Guidance(3)
    noise = output.golden.inputs["noise_init"]
    output.check(sampled(output.version, noise, mode, sampler, guidance, "eps" if prediction == "eps" else "v"))


@covers("decoded.vanilla_ddim_v")
def test_a_sample_as_an_image(output: Output) -> None:
    latent = output.golden.outputs["sample.vanilla_ddim_v"]
    image = parts(output.version).vae.decode(latent / 0.18215, return_dict=False)[0]
    thinned = image.shape[-1] // output.expected.shape[-1]
    output.check(image[..., ::thinned, ::thinned])
