"""Where each weight of AnimeDiffusion's U-Net stands in a published checkpoint (spec 7)."""

import re

from backend.weights.state_dict import WeightSource, replace_prefix

UNET_PREFIX = "denoise_fn."
SCHEDULE_BUFFERS = (
    "gammas",
    "sqrt_reciprocal_gammas",
    "sqrt_reciprocal_gammas_m1",
    "posterior_variance",
    "posterior_log_variance",
    "posterior_mean_coef1",
    "posterior_mean_coef2",
)
"""Buffers that a file may hold; the schedule is computed."""
_OTHER_PREFIXES = {
    "time_embedding.linear_1": "time_embedding.0",
    "time_embedding.linear_2": "time_embedding.2",
    "conv_in": "input.0",
    "norm_out": "output.0",
    "conv_out": "output.2",
    "middle.1.norm": "bottom_block.1.attention.0",
    "middle.1.qkv": "bottom_block.1.attention.1",
}
_RESNET_PREFIXES = {
    "norm1": "conv1.0",
    "conv1": "conv1.2",
    "time_emb_proj": "time_emb.1",
    "norm2": "conv2.0",
    "conv2": "conv2.3",
    "conv_shortcut": "skip_connection",
}


def unet_source(key: str) -> WeightSource:
    """A key of AnimeUNet."""
    middle = re.fullmatch(r"middle\.([02])\.(.+)", key)
    if middle:
        return WeightSource(f"{UNET_PREFIX}bottom_block.{middle[1]}.{replace_prefix(_RESNET_PREFIXES, middle[2])}")
    found = re.fullmatch(r"(encoder|decoder)\.(\d)\.(\d)\.(.+)", key)
    if not found:
        return WeightSource(UNET_PREFIX + replace_prefix(_OTHER_PREFIXES, key))
    level, number = int(found[2]), int(found[3])
    enlarging = ".0" if found[1] == "decoder" and number == 2 else ""
    return WeightSource(
        f"{UNET_PREFIX}{found[1]}_block.{3 * level + number}{enlarging}.{replace_prefix(_RESNET_PREFIXES, found[4])}"
    )
