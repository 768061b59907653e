"""What a U-Net's blocks are told of the time step, and of sizes."""

from typing import Any

from torch import Tensor


def embed_time(unet: Any, rows: int, timestep: Tensor, vector: Tensor | None) -> Tensor:
    """(rows, 4 * width) in the number format of the blocks; the embedding networks may have a wider one.

    unet: diffusers' ``UNet2DConditionModel``, or a part of it with ``conv_in``.  timestep: () or (rows,).
    vector: (rows or 1, n) or None; ValueError where the network takes one and gets none, and the other way round.
    """
    if (vector is None) != (unet.class_embedding is None):
        raise ValueError("this network takes no vector" if vector is not None else "this network takes a vector")
    waves = unet.time_proj(timestep.expand(rows))
    embedding = unet.time_embedding(waves.to(unet.time_embedding.linear_1.weight.dtype))
    if vector is not None:
        embedding = embedding + unet.class_embedding(vector.to(unet.class_embedding.linear_1.weight.dtype))
    return embedding.to(unet.conv_in.weight.dtype)
