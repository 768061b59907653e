"""Maps each weight of XL's networks to its tensor in a published checkpoint; see ``key_mapping``."""

import re
from collections.abc import Callable, Iterable

from torch import Tensor

from backend.families.colorizediffusion.checkpoint.key_mapping import (
    BACKGROUND_PREFIX,
    SKETCH_PREFIX,
    UNET_PREFIX,
    unet_name,
)
from backend.weights.state_dict import KeyMap, WeightSource, replace_prefix

PROJECTION_PREFIX = "proj."
UNREAD = frozenset((f"{UNET_PREFIX}conv_fg.weight", f"{UNET_PREFIX}conv_fg.bias"))
"""Tensors of XL-v2 that nothing reads (spec XL 7.5)."""
TAGGER_PREFIX = "img_embedder.model."
"""Of the tagger where a checkpoint holds it; its own file has no prefix."""


def unet_source(key: str) -> WeightSource:
    """Maps a key of XL's ReferenceUNet; XL-v2 has low-rank pairs, all for backgrounds."""
    name = unet_name(key.removeprefix("unet."), first_level_attends=True)
    return WeightSource(UNET_PREFIX + re.sub(r"\.lora_(down|up)_bg\.", r".lora_\1_background.", name))


def background_source(key: str) -> WeightSource:
    """Maps a key of XL-v2's BackgroundNetwork."""
    return WeightSource(BACKGROUND_PREFIX + unet_name(key.removeprefix("unet."), first_level_attends=True))


def sketch_source(key: str) -> WeightSource:
    """Maps a key of MultiscaleSketchEncoder."""
    kind, number, *rest = key.split(".")
    if kind == "trunk":  # the file counts the activations, too
        return WeightSource(f"{SKETCH_PREFIX}model.{2 * int(number)}.{rest[0]}")
    if kind == "down":
        return WeightSource(f"{SKETCH_PREFIX}downsample_layers.{number}.1.{rest[0]}")
    names = {"inputs": "proj_ins", "outputs": "proj_outs", "attention": "attn_layer"}
    return WeightSource(SKETCH_PREFIX + replace_prefix(names, key))


def projection_source(key: str) -> WeightSource:
    """Maps a key of ContextProjection."""
    return WeightSource(PROJECTION_PREFIX + replace_prefix({"attention": "attn", "mlp": "proj"}, key))


_TAGGER = {
    "embeddings.patch_embeddings.projection": "patch_embed.proj",
    "embeddings.norm": "patch_embed.norm",
    "layernorm": "norm",
}
_TAGGER_BLOCK = {
    "attention.self.logit_scale": "attn.logit_scale",
    "attention.self.continuous_position_bias_mlp": "attn.cpb_mlp",
    "attention.output.dense": "attn.proj",
    "layernorm_before": "norm1",
    "layernorm_after": "norm2",
    "intermediate.dense": "mlp.fc1",
    "output.dense": "mlp.fc2",
}
_PROJECTIONS = ("query", "key", "value")
_TAGGER_KEY = "layers.0.blocks.0.attn.cpb_mlp.0.weight"
TAGGER_HEAD = frozenset(f"{prefix}head.fc.{kind}" for prefix in ("", TAGGER_PREFIX) for kind in ("weight", "bias"))
"""The tagger's list of tags, which is not used, in its own file and in a checkpoint that holds it."""


def tagger_prefix(names: Iterable[str]) -> str | None:
    """What stands before the tagger's names in a file with tensors of these names; None when it has no tagger."""
    known = set(names)
    return next((prefix for prefix in ("", TAGGER_PREFIX) if prefix + _TAGGER_KEY in known), None)


def tagger_key_map(names: Iterable[str]) -> KeyMap | None:
    """The mapping of Tagger to a file with tensors of these names; None when it has no tagger."""
    prefix = tagger_prefix(names)
    return None if prefix is None else tagger_names(prefix)


def tagger_names(prefix: str) -> KeyMap:
    """Maps keys of Tagger, for a file that names the network as timm does, under ``prefix``."""

    def source(key: str) -> WeightSource:
        inner = key.removeprefix("swin.")
        down = re.fullmatch(r"encoder\.layers\.(\d+)\.downsample\.(.+)", inner)
        if down:  # transformers merges patches at the end of a level, timm at the beginning of the next
            return WeightSource(f"{prefix}layers.{int(down[1]) + 1}.downsample.{down[2]}")
        block = re.fullmatch(r"encoder\.layers\.(\d+)\.blocks\.(\d+)\.(.+)", inner)
        if not block:
            return WeightSource(prefix + replace_prefix(_TAGGER, inner))
        start = f"{prefix}layers.{block[1]}.blocks.{block[2]}."
        projection = re.fullmatch(r"attention\.self\.(query|key|value)\.(weight|bias)", block[3])
        if not projection:
            return WeightSource(start + replace_prefix(_TAGGER_BLOCK, block[3]))
        if projection[2] == "bias":  # keys have none
            return WeightSource(f"{start}attn.{projection[1][0]}_bias")
        return WeightSource(f"{start}attn.qkv.weight", _take_third(_PROJECTIONS.index(projection[1])))

    return source


def _take_third(number: int) -> Callable[[Tensor], Tensor]:
    return lambda weight: weight.chunk(3)[number].clone()
