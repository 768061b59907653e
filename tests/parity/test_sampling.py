"""Noise levels, guidance and edits of tokens against the golden vectors."""

import torch
from torch import Tensor

from backend.families.colorizediffusion.text.token_editing import (
    Edit,
    apply_edits,
    edit_globally,
    edit_locally,
    position_weight,
    similarity,
)
from backend.families.diffusion.guidance import Branch, Guidance
from backend.families.diffusion.noise_schedule import Schedule, alphas_cumprod
from backend.families.diffusion.samplers import Sampler
from backend.families.diffusion.sampling import sample, sampler_sigmas
from tests.parity.golden import Output, covers

INDICES = [0, 1, 100, 481, 500, 998, 999]
LISTS = {
    "schedule.k_karras6_sigmas": (Sampler.K_DPMPP_2M, Schedule.AUTOMATIC),
    "schedule.k_uniform6_sigmas": (Sampler.K_EULER, Schedule.UNIFORM),
    "schedule.k_sgm_uniform6_sigmas": (Sampler.K_EULER, Schedule.SGM_UNIFORM),
    "schedule.k_dpmpp3m_exponential_discard6_sigmas": (Sampler.K_DPMPP_3M_SDE, Schedule.AUTOMATIC),
}
TIMES = {
    "schedule.ddim6_timesteps": (Sampler.DDIM, 6),
    "schedule.ddim20_timesteps": (Sampler.DDIM, 20),
    "schedule.dpm6_timesteps": (Sampler.DPM, 6),
    "schedule.dpm20_timesteps": (Sampler.DPM, 20),
}


@covers("schedule.alphas_cumprod")
def test_alphas(output: Output) -> None:
    output.check(torch.from_numpy(alphas_cumprod()[INDICES]))


@covers(*LISTS)
def test_levels(output: Output) -> None:
    output.check(torch.from_numpy(sampler_sigmas(*LISTS[output.name], 6)))


@covers(*TIMES)
def test_times(output: Output) -> None:
    times: list[float] = []

    def network(latent: Tensor, t: float) -> Tensor:
        times.append(t)
        return latent

    sampler, steps = TIMES[output.name]
    noise = torch.ones(1, 4, 2, 2)
    sample(network, noise, sampler, Schedule.AUTOMATIC, steps, "eps", torch.Generator(), lambda *_: None)
    output.check(torch.tensor(times))


@covers("guided.*")
def test_guidance(output: Output) -> None:
    given = output.golden.outputs
    branches = {
        Branch.BOTH: given["unet.vanilla.cond"],
        Branch.NO_REFERENCE: given["unet.vanilla.uncond_ref"],
        Branch.NO_SKETCH: given["unet.vanilla.uncond_sketch"],
    }
    guidance = {"guided.ref3": Guidance(3), "guided.dual_3_2": Guidance(3, 2)}[output.name]
    output.check(guidance.combine({branch: branches[branch] for branch in guidance.branches(500)}))


@covers("manip.local_*", versions=("v1",))
def test_local_edits(output: Output) -> None:
    girl, brown, sky = output.golden.outputs["text"][:, None]
    edits = {
        "manip.local_noanchor": [Edit(girl, None, sky, 3)],
        "manip.local_anchor": [Edit(girl, brown, sky, 3)],
        "manip.local_anchor_enh": [Edit(girl, brown, sky, 3, enhanced=True)],
        "manip.local_seq": [Edit(girl, brown, brown, 3), Edit(sky, None, sky, 1.5, thresholds=(0.3, 0.4, 0.6, 0.8))],
    }
    output.check(apply_edits(output.golden.outputs["clip.full"], edits[output.name]))


@covers("manip.global_*", versions=("v1",))
def test_global_edits(output: Output) -> None:
    girl, brown, sky = output.golden.outputs["text"][:, None]
    anchor = None if "noanchor" in output.name else brown
    output.check(edit_globally(output.golden.outputs["clip.cls"], Edit(girl, anchor, sky, 3, output.name.endswith("_enh"))))


@covers("manip.pwv", versions=("v1",))
def test_weight_of_places(output: Output) -> None:
    given = output.golden.outputs
    output.check(position_weight(similarity(given["clip.local"], given["text"][2:]), torch.full((1, 1, 1), 2.0)))


def test_edits_of_no_scale_change_nothing() -> None:
    tokens, text = torch.randn(1, 5, 4), torch.randn(1, 1, 4)
    assert torch.equal(apply_edits(tokens, [Edit(text, None, text, 0.0)]), tokens)
    assert not torch.equal(edit_locally(tokens, Edit(text, None, text, 1.0)), tokens)
