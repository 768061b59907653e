"""Maps the keys of AnimeDiffusion's U-Net to the names in a published checkpoint (spec 7)."""

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
"""Buffers of the noise schedule that a file may hold; they are computed, so nobody reads them."""
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
    """The source of a key of ``AnimeUNet``'s state dict."""
    middle = re.fullmatch(r"middle\.([02])\.(.+)", key)
    if middle:
        return WeightSource(f"{UNET_PREFIX}bottom_block.{middle[1]}.{replace_prefix(_RESNET_PREFIXES, middle[2])}")
    block = re.fullmatch(r"(encoder|decoder)\.(\d)\.(\d)\.(.+)", key)
    if not block:
        return WeightSource(UNET_PREFIX + replace_prefix(_OTHER_PREFIXES, key))
    level, number = int(block[2]), int(block[3])
    # the third block of a level of the decoder upsamples too: in the file it is a sequence, the block its first part
    sequence = ".0" if block[1] == "decoder" and number == 2 else ""
    return WeightSource(
        f"{UNET_PREFIX}{block[1]}_block.{3 * level + number}{sequence}.{replace_prefix(_RESNET_PREFIXES, block[4])}"
    )
