"""Where each weight of the networks stands in a published checkpoint.

The names go from module to file, so that both what a file lacks and what it has too much are told in the file's own names.
"""

import re
from collections.abc import Callable

from torch import Tensor

from backend.weights.state_dict import Names, WeightSource, identity, replace_prefix

UNET = "model.diffusion_model."
VAE = "first_stage_model."
SKETCH = "control_encoder."
THRESHOLD = "thresh_embedder."
TOKENS = "transformer."
CLIP = "cond_stage_model."
SCHEDULE = frozenset(
    (
        "betas",
        "alphas_cumprod",
        "alphas_cumprod_prev",
        "sqrt_alphas_cumprod",
        "sqrt_one_minus_alphas_cumprod",
        "log_one_minus_alphas_cumprod",
        "sqrt_recip_alphas_cumprod",
        "sqrt_recipm1_alphas_cumprod",
        "posterior_variance",
        "posterior_log_variance_clipped",
        "posterior_mean_coef1",
        "posterior_mean_coef2",
    )
)
"""Buffers that a file may hold; the schedule is computed."""


_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_UNET = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_in": "input_blocks.0.0",
    "mid_block.attentions.0": "middle_block.1",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
_LORA = re.compile(r"processor\.pairs\.(to_\w)\.(\w)\w+ground\.(down|up)\.")
_SIDES = {"f": "fg", "b": "bg"}


def unet(key: str) -> WeightSource:
    """A key of ReferenceUNet."""
    inner = _LORA.sub(lambda m: f"{m[1]}.lora_{m[3]}_{_SIDES[m[2]]}.", key.removeprefix("unet."))
    found = re.fullmatch(r"(down|up)_blocks\.(\d)\.(resnets|attentions|downsamplers|upsamplers)\.(\d)\.(.+)", inner)
    middle = re.fullmatch(r"mid_block\.resnets\.(\d)\.(.+)", inner)
    if middle:
        return WeightSource(f"{UNET}middle_block.{2 * int(middle[1])}.{replace_prefix(_RESNET, middle[2])}")
    if not found:
        return WeightSource(UNET + replace_prefix(_UNET, inner))
    level, kind, number, rest = int(found[2]), found[3], int(found[4]), found[5]
    block = 3 * level + number
    rest = replace_prefix(_RESNET, rest) if kind == "resnets" else rest
    if kind == "downsamplers":
        return WeightSource(f"{UNET}input_blocks.{3 * level + 3}.0.{rest.replace('conv', 'op')}")
    if kind == "upsamplers":
        return WeightSource(f"{UNET}output_blocks.{3 * level + 2}.{1 if level == 0 else 2}.{rest}")
    place = 0 if kind == "resnets" else 1
    return WeightSource(
        f"{UNET}{f'input_blocks.{block + 1}' if found[1] == 'down' else f'output_blocks.{block}'}.{place}.{rest}"
    )


_MIDDLE_ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}


def _vae_name(key: str) -> str:
    key = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", key)
    key = re.sub(r"down_blocks\.(\d)\.resnets\.", r"down.\1.block.", key)
    key = re.sub(r"down_blocks\.(\d)\.downsamplers\.0\.", r"down.\1.downsample.", key)
    key = re.sub(r"up_blocks\.(\d)\.resnets\.", lambda m: f"up.{3 - int(m[1])}.block.", key)
    key = re.sub(r"up_blocks\.(\d)\.upsamplers\.0\.", lambda m: f"up.{3 - int(m[1])}.upsample.", key)
    return VAE + key.replace("conv_shortcut", "nin_shortcut").replace("conv_norm_out", "norm_out")


def vae(key: str) -> WeightSource:
    """A key of AutoencoderKL.  The published attention is made of 1 x 1 convolutions, diffusers' of linear layers."""
    found = re.fullmatch(r"(\w+)\.mid_block\.attentions\.0\.(.+)", key)
    if not found:
        return WeightSource(_vae_name(key))
    change = identity if "group_norm" in key or key.endswith("bias") else _flat
    return WeightSource(f"{VAE}{found[1]}.mid.attn_1.{replace_prefix(_MIDDLE_ATTENTION, found[2])}", change)


def _flat(x: Tensor) -> Tensor:
    return x.flatten(1)


def _turned(x: Tensor) -> Tensor:
    return x.t().contiguous()


def sketch(key: str) -> WeightSource:
    """A key of SketchEncoder."""
    kind, number, *rest = key.split(".")
    if kind == "trunk":
        return WeightSource(f"{SKETCH}model.{2 * int(number)}.{rest[0]}")
    if kind == "stages":
        return WeightSource(f"{SKETCH}output_blocks.{number}.{1 + 2 * int(rest[0])}.{rest[1]}")
    return WeightSource(
        f"{SKETCH}zero_layer.0.{rest[0]}" if number == "0" else f"{SKETCH}zero_blocks.{int(number) - 1}.0.{rest[0]}"
    )


def threshold(key: str) -> WeightSource:
    """A key of ThresholdEmbedder."""
    return WeightSource(THRESHOLD + replace_prefix({"layers": "embed_layer"}, key))


_TOKEN_LAYER = {"attention_norm": "0", "mlp_norm": "1", "attention": "2", "mlp": "3"}


def tokens(key: str) -> WeightSource:
    """A key of TokenTransformer."""
    if key == "queries.weight":
        return WeightSource(TOKENS + "embedding")
    _, number, rest = key.split(".", 2)
    return WeightSource(f"{TOKENS}layers.{number}.{replace_prefix(_TOKEN_LAYER, rest)}")


_CLIP = {
    "vision_model.embeddings.class_embedding": "class_embedding",
    "vision_model.embeddings.patch_embedding": "conv1",
    "vision_model.embeddings.position_embedding.weight": "positional_embedding",
    "vision_model.pre_layrnorm": "ln_pre",
    "vision_model.post_layernorm": "ln_post",
    "text_model.embeddings.token_embedding": "token_embedding",
    "text_model.embeddings.position_embedding.weight": "positional_embedding",
    "text_model.final_layer_norm": "ln_final",
}
_CLIP_LAYER = {
    "self_attn.out_proj": "attn.out_proj",
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
}


def _third(number: int) -> Callable[[Tensor], Tensor]:
    return lambda x: x.chunk(3)[number].clone()


def openclip(prefix: str) -> Names:
    """Keys of ImageEncoder or TextEncoder in a file that names one tower as OpenCLIP does, under ``prefix``."""

    def names(key: str) -> WeightSource:
        inner = key.removeprefix("clip.")
        if inner in ("visual_projection.weight", "text_projection.weight"):
            return WeightSource(prefix + ("proj" if inner.startswith("visual") else "text_projection"), _turned)
        layer = re.fullmatch(r"\w+\.encoder\.layers\.(\d+)\.(.+)", inner)
        if not layer:
            return WeightSource(prefix + replace_prefix(_CLIP, inner))
        start = f"{prefix}transformer.resblocks.{layer[1]}."
        part = re.fullmatch(r"self_attn\.([qkv])_proj\.(weight|bias)", layer[2])
        if part:
            return WeightSource(f"{start}attn.in_proj_{part[2]}", _third("qkv".index(part[1])))
        return WeightSource(start + replace_prefix(_CLIP_LAYER, layer[2]))

    return names


def transformers_layout(key: str) -> WeightSource:
    """Keys of ImageEncoder or TextEncoder in a file that names both towers as transformers does."""
    return WeightSource(key.removeprefix("clip."))
