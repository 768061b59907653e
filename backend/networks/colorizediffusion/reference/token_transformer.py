"""The threshold embedder and the token transformer of v1.5: together they make background tokens of image tokens."""

from diffusers.models.embeddings import get_timestep_embedding
from torch import Tensor, nn

from backend.networks.colorizediffusion.reference.cross_attention_layer import CrossAttentionLayer

SINUSOIDS = 256


class ThresholdEmbedder(nn.Module):
    """Makes one token of a mask threshold, to add to image tokens."""

    def __init__(self, width: int = 1024, sinusoids: int = SINUSOIDS) -> None:
        super().__init__()
        self.sinusoids = sinusoids
        self.layers = nn.Sequential(nn.Linear(sinusoids, width), nn.SiLU(), nn.Linear(width, width))
        nn.init.zeros_(self.layers[2].weight)  # type: ignore[arg-type]
        nn.init.zeros_(self.layers[2].bias)  # type: ignore[arg-type]

    def forward(self, thresholds: Tensor) -> Tensor:
        """(B,) thresholds in [0, 1] -> (B, 1, width).  The number is not rescaled; cosines come first, base 10000."""
        waves = get_timestep_embedding(thresholds, self.sinusoids, flip_sin_to_cos=True, downscale_freq_shift=0)
        return self.layers(waves.to(self.layers[0].weight.dtype))[:, None]  # type: ignore[union-attr]


class TokenTransformer(nn.Module):
    """Learned queries that gather background tokens from image tokens.  Full size: 75.8 M parameters."""

    def __init__(self, width: int = 1024, layers: int = 6, queries: int = 256, head_dim: int = 64) -> None:
        super().__init__()
        self.queries = nn.Embedding(queries, width)
        self.layers = nn.ModuleList(CrossAttentionLayer(width, head_dim) for _ in range(layers))

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, n, width) -> (B, queries, width).  The input reaches the output by attention alone; there is no last norm."""
        x = self.queries.weight.expand(len(tokens), -1, -1)
        for layer in self.layers:
            x = layer(x, tokens)
        return x
