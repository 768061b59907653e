"""Image tokens and text features of OpenCLIP, on transformers' CLIP.

Two things differ from CLIP's usual use.  All image tokens, not the class token alone, go through the last norm and the
projection, without L2 normalization.  Text features are taken before the last block.  Sizes in this file are ViT-H-14's.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import CLIPTextConfig, CLIPTextModelWithProjection, CLIPVisionConfig, CLIPVisionModelWithProjection

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)


def preprocess(images: Tensor, size: int = 224) -> Tensor:
    """(B, 3, H, W) in [-1, 1] -> (B, 3, size, size), normalized.  The aspect ratio is not kept and nothing is cropped."""
    resized = F.interpolate(images, (size, size), mode="bicubic", align_corners=True, antialias=True)
    mean, std = (torch.tensor(rgb, dtype=images.dtype, device=images.device).view(1, 3, 1, 1) for rgb in (MEAN, STD))
    return ((resized + 1) / 2 - mean) / std


class ImageEncoder(nn.Module):
    """Makes tokens of images: the class token, then one token for each patch, row by row."""

    def __init__(self, config: CLIPVisionConfig) -> None:
        super().__init__()
        self.clip = CLIPVisionModelWithProjection(config)
        self.size = int(cast(int, config.image_size))  # transformers allows pairs as well

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) in [-1, 1] -> (B, 1 + patches, width): 257 x 1024 at full size."""
        return self.encode(preprocess(images.float(), self.size))

    def encode(self, images: Tensor) -> Tensor:
        """As ``forward``, but for images that went through ``preprocess`` (and perhaps a warp) already."""
        # transformers would normalize and project the class token alone.
        vision = self.clip.vision_model
        hidden = vision(pixel_values=images.to(self.clip.visual_projection.weight.dtype)).last_hidden_state
        return self.clip.visual_projection(vision.post_layernorm(hidden)).float()


class TextEncoder(nn.Module):
    """Makes one vector of each text, to compare with image tokens."""

    def __init__(self, config: CLIPTextConfig) -> None:
        super().__init__()
        self.clip = CLIPTextModelWithProjection(config)

    def forward(self, ids: Tensor) -> Tensor:
        """(B, 77) token ids -> (B, 1, width), L2-normalized.

        The vector is that of the token with the largest id (end of text), before the last block.
        """
        text = self.clip.text_model
        states = text(input_ids=ids, output_hidden_states=True).hidden_states[-2]
        ends = states[torch.arange(len(ids), device=ids.device), ids.argmax(1)]
        return F.normalize(self.clip.text_projection(text.final_layer_norm(ends)).float(), dim=-1)[:, None]


def patch_tokens(tokens: Tensor) -> Tensor:
    """The patch tokens (B, n, width) among all image tokens (B, 1 + n, width): the published models color with these."""
    return tokens[:, 1:]


def register_position_ids(embeddings: nn.Module, device: str) -> None:
    """Create the buffer of position numbers of a tower that was built on the meta device; no file holds it."""
    numbers = embeddings.get_buffer("position_ids")
    embeddings.register_buffer("position_ids", torch.arange(numbers.shape[-1], device=device)[None], persistent=False)
