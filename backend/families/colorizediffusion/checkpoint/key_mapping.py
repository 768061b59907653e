"""Maps each weight of the networks to its tensor in a published checkpoint.

The mapping goes from the module's key to the file's name, so that missing and unexpected tensors are reported by the names in
the file.
"""

import re
from collections.abc import Callable

from torch import Tensor

from backend.weights.state_dict import KeyMap, WeightSource, identity, replace_prefix

UNET_PREFIX = "model.diffusion_model."
VAE_PREFIX = "first_stage_model."
SKETCH_PREFIX = "control_encoder."
THRESHOLD_PREFIX = "thresh_embedder."
TOKENS_PREFIX = "transformer."
BACKGROUND_PREFIX = "bg_encoder."
STYLE_PREFIX = "style_encoder."
WARP_PREFIX = f"{UNET_PREFIX}warp_modules."
STYLE_MODULES_PREFIX = f"{UNET_PREFIX}style_modules."
CLIP_PREFIX = "cond_stage_model."
SCHEDULE_BUFFERS = frozenset(
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
"""Buffers that a file may hold; the noise schedule is computed instead."""


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
    "class_embedding.linear_1": "label_emb.0.0",
    "class_embedding.linear_2": "label_emb.0.2",
    "conv_in": "input_blocks.0.0",
    "mid_block.attentions.0": "middle_block.1",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
_LORA_KEY = re.compile(r"processor\.pairs\.(to_\w)\.(\w)\w+ground\.(down|up)\.")
_LORA_SUFFIX = {"f": "fg", "b": "bg"}


def unet_source(key: str) -> WeightSource:
    """Maps a key of ReferenceUNet."""
    return WeightSource(UNET_PREFIX + unet_name(key.removeprefix("unet.")))


def unet_name(key: str, first_level_attends: bool = False) -> str:
    """The published name of a tensor of diffusers' U-Net.

    first_level_attends: whether the first level on the way up, the deepest, has attention, as in SDXL.
    """
    inner = _LORA_KEY.sub(lambda m: f"{m[1]}.lora_{m[3]}_{_LORA_SUFFIX[m[2]]}.", key)
    middle = re.fullmatch(r"mid_block\.resnets\.(\d)\.(.+)", inner)
    if middle:  # the middle holds resnet, attention, resnet, numbered 0 to 2
        return f"middle_block.{2 * int(middle[1])}.{replace_prefix(_RESNET, middle[2])}"
    match = re.fullmatch(r"(down|up)_blocks\.(\d)\.(resnets|attentions|downsamplers|upsamplers)\.(\d)\.(.+)", inner)
    if not match:
        return replace_prefix(_UNET, inner)
    direction, level, kind, number, rest = match[1], int(match[2]), match[3], int(match[4]), match[5]
    # The file numbers blocks through all levels, three a level; on the way down, block 0 is the first convolution.
    block = 3 * level + number
    if kind == "downsamplers":
        return f"input_blocks.{3 * level + 3}.0.{rest.replace('conv', 'op')}"
    if kind == "upsamplers":  # part of a level's last block, behind its attention where there is one
        return f"output_blocks.{3 * level + 2}.{2 if level or first_level_attends else 1}.{rest}"
    rest = replace_prefix(_RESNET, rest) if kind == "resnets" else rest
    start = f"input_blocks.{block + 1}" if direction == "down" else f"output_blocks.{block}"
    return f"{start}.{0 if kind == 'resnets' else 1}.{rest}"


def reference_encoder_names(prefix: str) -> KeyMap:
    """Maps keys of a ReferenceEncoder, whose tensors lie under ``prefix`` in the file."""

    def source(key: str) -> WeightSource:
        if key.startswith("heads."):
            return WeightSource(prefix + replace_prefix({"heads": "zero_layers"}, key))
        return WeightSource(prefix + unet_name(key.removeprefix("unet.")))

    return source


_WARP_LAYER = {"attention_norm": "norm1", "attention": "attn", "mlp_norm": "norm2", "mlp": "ff"}
_STYLE_MODULE = {"norm": "0", "time": "1", "output": "2"}


def warp_source(key: str) -> WeightSource:
    """Maps a key of WarpModules."""
    _, number, rest = key.split(".", 2)
    return WeightSource(f"{WARP_PREFIX}{number}.{replace_prefix(_WARP_LAYER, rest)}")


def style_modules_source(key: str) -> WeightSource:
    """Maps a key of StyleModules."""
    _, number, rest = key.split(".", 2)
    return WeightSource(f"{STYLE_MODULES_PREFIX}{number}.{replace_prefix(_STYLE_MODULE, rest)}")


_MIDDLE_ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}


def _vae_name(key: str) -> str:
    key = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", key)
    key = re.sub(r"down_blocks\.(\d)\.resnets\.", r"down.\1.block.", key)
    key = re.sub(r"down_blocks\.(\d)\.downsamplers\.0\.", r"down.\1.downsample.", key)
    # The file counts the levels of the decoder from the output, diffusers from the input.
    key = re.sub(r"up_blocks\.(\d)\.resnets\.", lambda m: f"up.{3 - int(m[1])}.block.", key)
    key = re.sub(r"up_blocks\.(\d)\.upsamplers\.0\.", lambda m: f"up.{3 - int(m[1])}.upsample.", key)
    return VAE_PREFIX + key.replace("conv_shortcut", "nin_shortcut").replace("conv_norm_out", "norm_out")


def vae_source(key: str) -> WeightSource:
    """Maps a key of AutoencoderKL.  Its attention is 1 x 1 convolutions in the file, and linear layers in diffusers."""
    match = re.fullmatch(r"(\w+)\.mid_block\.attentions\.0\.(.+)", key)
    if not match:
        return WeightSource(_vae_name(key))
    change = identity if "group_norm" in key or key.endswith("bias") else _flatten_kernel
    return WeightSource(f"{VAE_PREFIX}{match[1]}.mid.attn_1.{replace_prefix(_MIDDLE_ATTENTION, match[2])}", change)


def _flatten_kernel(weight: Tensor) -> Tensor:
    """The weight of a 1 x 1 convolution (out, in, 1, 1) as a linear layer's (out, in)."""
    return weight.flatten(1)


def _transpose(weight: Tensor) -> Tensor:
    return weight.t().contiguous()


def sketch_source(key: str) -> WeightSource:
    """Maps a key of SketchEncoder."""
    # The file counts the activations between the convolutions, too: convolutions have every second number.
    kind, number, *rest = key.split(".")
    if kind == "trunk":
        return WeightSource(f"{SKETCH_PREFIX}model.{2 * int(number)}.{rest[0]}")
    if kind == "stages":
        return WeightSource(f"{SKETCH_PREFIX}output_blocks.{number}.{1 + 2 * int(rest[0])}.{rest[1]}")
    output = "zero_layer" if number == "0" else f"zero_blocks.{int(number) - 1}"
    return WeightSource(f"{SKETCH_PREFIX}{output}.0.{rest[0]}")


def threshold_source(key: str) -> WeightSource:
    """Maps a key of ThresholdEmbedder."""
    return WeightSource(THRESHOLD_PREFIX + replace_prefix({"layers": "embed_layer"}, key))


_TOKEN_LAYER = {"attention_norm": "0", "mlp_norm": "1", "attention": "2", "mlp": "3"}


def tokens_source(key: str) -> WeightSource:
    """Maps a key of TokenTransformer."""
    if key == "queries.weight":
        return WeightSource(TOKENS_PREFIX + "embedding")
    _, number, rest = key.split(".", 2)
    return WeightSource(f"{TOKENS_PREFIX}layers.{number}.{replace_prefix(_TOKEN_LAYER, rest)}")


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


def _take_third(number: int) -> Callable[[Tensor], Tensor]:
    # A copy, or each third would keep the whole tensor in memory.
    return lambda weight: weight.chunk(3)[number].clone()


def openclip_names(prefix: str) -> KeyMap:
    """Maps keys of ImageEncoder or TextEncoder, for a file that names one tower as OpenCLIP does, under ``prefix``."""

    def source(key: str) -> WeightSource:
        inner = key.removeprefix("clip.")
        if inner in ("visual_projection.weight", "text_projection.weight"):
            return WeightSource(prefix + ("proj" if inner.startswith("visual") else "text_projection"), _transpose)
        layer = re.fullmatch(r"\w+\.encoder\.layers\.(\d+)\.(.+)", inner)
        if not layer:
            return WeightSource(prefix + replace_prefix(_CLIP, inner))
        start = f"{prefix}transformer.resblocks.{layer[1]}."
        projection = re.fullmatch(r"self_attn\.([qkv])_proj\.(weight|bias)", layer[2])
        if projection:  # OpenCLIP stores the three projections as one tensor
            return WeightSource(f"{start}attn.in_proj_{projection[2]}", _take_third("qkv".index(projection[1])))
        return WeightSource(start + replace_prefix(_CLIP_LAYER, layer[2]))

    return source


def transformers_source(key: str) -> WeightSource:
    """Maps a key of ImageEncoder or TextEncoder, for a file that names both towers as transformers does."""
    return WeightSource(key.removeprefix("clip."))
