"""Every output of the U-Net, its inner activations, and what injection adds."""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from backend.families.colorizediffusion.guided_denoiser import scale_features
from backend.networks.colorizediffusion.attention_inputs import CrossAttentionInput
from backend.networks.colorizediffusion.hooks import ReferenceFeatures, UNetHooks
from tests.parity.golden import Output, covers
from tests.parity.loaded import cross_attention_of, everywhere, features, parts, tokens
from tests.parity.modes import conditioning


def branch(version: str, mode: str, name: str) -> tuple[CrossAttentionInput, UNetHooks]:
    """Conditioning of the U-Net in one branch of guidance."""
    sketch, blank = features(version)
    if version == "v2":
        made = conditioning(version, mode)
        cross_attention, hooks = made.cross_attention, made.hooks
    else:
        cross_attention, hooks = cross_attention_of(version, mode), UNetHooks()
    strength = 0.7 if mode == "vanilla_sketch07" else 1.0
    chosen = scale_features(blank if name == "uncond_sketch" else sketch, strength)
    if name == "uncond_ref":
        cross_attention = CrossAttentionInput(
            torch.zeros_like(cross_attention.context), cross_attention.strength, cross_attention.split
        )
    return cross_attention, replace(hooks, sketch_features=chosen)


@covers("unet.*.cond", "unet.*.uncond_ref", "unet.*.uncond_sketch")
def test_every_branch_of_every_mode(output: Output) -> None:
    _, mode, name = output.name.split(".")
    inputs = output.golden.inputs
    output.check(parts(output.version).unet(inputs["x_t"], inputs["timestep"], *branch(output.version, mode, name)))


@covers("unet.*.cond", "unet.*.uncond_ref", "unet.*.uncond_sketch")
def test_every_branch_with_prepared_keys_and_without_zero_rows(output: Output) -> None:
    _, mode, name = output.name.split(".")
    inputs = output.golden.inputs
    unet = parts(output.version).unet
    cross_attention, hooks = branch(output.version, mode, name)
    output.check(unet(inputs["x_t"], inputs["timestep"], unet.prepare(cross_attention), hooks))


def module_of(unet: nn.Module, name: str) -> nn.Module:
    """diffusers' module whose output is the named block's (spec 22.1)."""
    kind, _, number = name.partition(".")
    if kind in ("time_embed", "middle_block"):
        return unet.get_submodule({"time_embed": "time_embedding", "middle_block": "mid_block.resnets.1"}[kind])
    level, place = divmod(int(number), 3)
    if kind == "output_blocks":
        last = "resnets" if level == 0 else "attentions"
        return unet.get_submodule(f"up_blocks.{level}." + ("upsamplers.0" if place == 2 and level < 3 else f"{last}.{place}"))
    if number == "0":
        return unet.get_submodule("conv_in")
    level, place = divmod(int(number) - 1, 3)
    last = "attentions" if level < 3 else "resnets"
    return unet.get_submodule(f"down_blocks.{level}." + ("downsamplers.0" if place == 2 else f"{last}.{place}"))


@covers("inner.*")
def test_inner_activations(output: Output) -> None:
    unet = parts(output.version).unet
    mode, name = output.name.removeprefix("inner.").split(".", 1)
    activations: list[Tensor] = []

    def see(module: nn.Module, given: Any, result: Any) -> None:
        activations.append(result[0] if isinstance(result, tuple) else result)

    inputs = output.golden.inputs
    hook = module_of(unet.unet, name).register_forward_hook(see)
    try:
        unet(inputs["x_t"], inputs["timestep"], *branch(output.version, mode, "cond"))
    finally:
        hook.remove()
    output.check(activations[0])


def noised(latent: Tensor, noise: Tensor, t: Tensor) -> Tensor:
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    abar = torch.cumprod(1 - betas, 0)[t].float()
    return abar.sqrt() * latent + (1 - abar).sqrt() * noise


def injected(output: Output, fidelity: float) -> tuple[CrossAttentionInput, UNetHooks]:
    """What both passes attend to, and the read pass's hooks with the features of a write pass on the noised reference."""
    g = output.golden
    one = parts(output.version)
    reference = tokens(output.version, "reference")
    cross_attention = CrossAttentionInput(torch.cat([reference, torch.zeros_like(reference)]), everywhere(1.0), None)
    latent = noised(g.outputs["inject.latent"], g.inputs["noise_inject"], g.inputs["timestep"]).expand(2, -1, -1, -1)
    own = scale_features(one.sketch_encoder(-g.image("inject_reference")), fidelity)
    stored = one.unet.encode_reference(latent, g.inputs["timestep"], cross_attention, UNetHooks(own))
    return cross_attention, UNetHooks(features(output.version)[0], reference=ReferenceFeatures(stored, fidelity=(0.0, 0.5)))


@covers("unet.inject_*")
def test_attention_injection(output: Output) -> None:
    cross_attention, hooks = injected(output, int(output.name[-2:]) / 10)
    inputs = output.golden.inputs
    x = inputs["x_t"].expand(2, -1, -1, -1)
    output.check(parts(output.version).unet(x, inputs["timestep"], cross_attention, hooks))


@covers("unet.inject_*")
def test_attention_injection_with_prepared_keys(output: Output) -> None:
    cross_attention, hooks = injected(output, int(output.name[-2:]) / 10)
    inputs, unet = output.golden.inputs, parts(output.version).unet
    x = inputs["x_t"].expand(2, -1, -1, -1)
    output.check(unet(x, inputs["timestep"], unet.prepare(cross_attention), hooks))
