"""XL's context: tokens of CLIP and of an anime tagger, joined (spec XL 5.3)."""

import torch
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn


class ContextProjection(nn.Module):
    """Joins two sets of tokens.  Full size: 15.5 M parameters."""

    def __init__(self, clip_width: int = 1280, tagger_width: int = 1024, width: int = 2048, head_dim: int = 128) -> None:
        super().__init__()
        self.attention = Attention(query_dim=clip_width, heads=clip_width // head_dim, dim_head=head_dim)
        self.norm = nn.LayerNorm(clip_width)
        self.mlp = nn.Sequential(
            nn.Linear(clip_width + tagger_width, width), nn.SiLU(), nn.Linear(width, width), nn.LayerNorm(width)
        )

    def forward(self, clip: Tensor, tagger: Tensor) -> Tensor:
        """All of CLIP's tokens (B, 257, C), the class token first, and the tagger's (B, 196, D) -> (B, 196, width).

        As many of CLIP's first tokens are kept as there are of the tagger; they do not lie at the same places of the image.
        """
        seen = self.norm(self.attention(clip)[:, : tagger.shape[1]])
        return self.mlp(torch.cat([seen, tagger], -1))
