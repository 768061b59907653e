"""A transformer layer that only looks at other tokens: v1.5's token transformer and v2's warp modules are made of it."""

from diffusers.models.attention_processor import Attention
from torch import Tensor, nn


class CrossAttentionLayer(nn.Module):
    """Cross-attention to tokens of the same width, then an MLP; there is no self-attention."""

    def __init__(self, width: int, head_dim: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = Attention(query_dim=width, heads=width // head_dim, dim_head=head_dim)
        self.mlp_norm = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.SiLU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor, tokens: Tensor) -> Tensor:
        """Queries ``x`` (B, N, width) that attend to ``tokens`` (B, n, width), which are not normalized."""
        x = x + self.attention(self.attention_norm(x), encoder_hidden_states=tokens)
        return x + self.mlp(self.mlp_norm(x))
