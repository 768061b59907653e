"""Image tokens and text features of OpenCLIP ViT-H-14, on transformers' CLIP.

Two habits differ from CLIP's usual use.  All image tokens, not the class token alone, go through the last norm and the
projection, without L2 normalization; and texts are read before the last block.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import CLIPTextConfig, CLIPTextModelWithProjection, CLIPVisionConfig, CLIPVisionModelWithProjection

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)


def preprocessed(pictures: Tensor, size: int = 224) -> Tensor:
    """(B, 3, H, W) in [-1, 1] -> (B, 3, size, size), normalized.  The aspect ratio is not kept and nothing is cropped."""
    squeezed = F.interpolate(pictures, (size, size), mode="bicubic", align_corners=True, antialias=True)
    mean, std = (torch.tensor(each, dtype=pictures.dtype, device=pictures.device).view(1, 3, 1, 1) for each in (MEAN, STD))
    return ((squeezed + 1) / 2 - mean) / std


class ImageEncoder(nn.Module):
    """Pictures as tokens: the class token, then one token for each patch, row by row."""

    def __init__(self, config: CLIPVisionConfig) -> None:
        super().__init__()
        self.clip = CLIPVisionModelWithProjection(config)
        self.size = int(cast(int, config.image_size))  # transformers allows pairs as well

    def forward(self, pictures: Tensor) -> Tensor:
        """(B, 3, H, W) in [-1, 1] -> (B, 1 + patches, width): 257 x 1024 at full size."""
        return self.encode(preprocessed(pictures.float(), self.size))

    def encode(self, pictures: Tensor) -> Tensor:
        """The same of pictures that are ``preprocessed`` (and perhaps warped) already."""
        clip = self.clip.vision_model
        seen = clip(pixel_values=pictures.to(self.clip.visual_projection.weight.dtype)).last_hidden_state
        return self.clip.visual_projection(clip.post_layernorm(seen)).float()


class TextEncoder(nn.Module):
    """Texts as one vector each, to compare with image tokens."""

    def __init__(self, config: CLIPTextConfig) -> None:
        super().__init__()
        self.clip = CLIPTextModelWithProjection(config)

    def forward(self, ids: Tensor) -> Tensor:
        """(B, 77) token ids -> (B, 1, width), L2-normalized: the token of the largest id (end of text), one block skipped."""
        text = self.clip.text_model
        states = text(input_ids=ids, output_hidden_states=True).hidden_states[-2]
        ends = states[torch.arange(len(ids), device=ids.device), ids.argmax(1)]
        return F.normalize(self.clip.text_projection(text.final_layer_norm(ends)).float(), dim=-1)[:, None]


def patch_tokens(tokens: Tensor) -> Tensor:
    """The patch tokens (B, n, width) of all image tokens: what the published models color with."""
    return tokens[:, 1:]


def register_position_ids(embeddings: nn.Module, device: str) -> None:
    """Make the buffer of position numbers, which no file holds, of a tower that was built without memory."""
    numbers = embeddings.get_buffer("position_ids")
    embeddings.register_buffer("position_ids", torch.arange(numbers.shape[-1], device=device)[None], persistent=False)
