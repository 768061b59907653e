"""Building blocks that mini's three networks share."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class GroupNorm(nn.GroupNorm):
    """Group normalization in the dtype of its input.

    Autocast would compute it in float32, which on a CPU takes longer than the convolution beside it.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - the name torch gives it
        """Normalized (B, C, ...)."""
        with torch.autocast(input.device.type, enabled=False):
            return F.group_norm(input, self.num_groups, self.weight.to(input.dtype), self.bias.to(input.dtype), self.eps)


class ResidualBlock(nn.Module):
    """x + gain * conv(silu(norm(conv(silu(x))))) with a learned gain, at first 0.1; (B, C, H, W) to the same."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm = GroupNorm(8, channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        self.gain = nn.Parameter(torch.full((channels, 1, 1), 0.1))

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        hidden = self.second(F.silu(self.norm(self.first(F.silu(x)))))
        return x + self.gain.to(x.dtype) * hidden


class TimeConditionedResBlock(nn.Module):
    """A pre-norm residual block, modulated by a time embedding (B, time_width) as in FiLM unless ``time_width`` is 0."""

    def __init__(self, inputs: int, outputs: int, time_width: int = 0) -> None:
        super().__init__()
        self.norm1, self.conv1 = GroupNorm(8, inputs), nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm2, self.conv2 = GroupNorm(8, outputs), nn.Conv2d(outputs, outputs, 3, padding=1)
        self.skip = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()
        self.time = nn.Linear(time_width, 2 * outputs) if time_width else None
        # starts as its skip connection alone
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.conv2.bias if self.conv2.bias is not None else self.conv2.weight)

    def forward(self, x: Tensor, time: Tensor | None = None) -> Tensor:
        """See the class."""
        hidden = self.norm2(self.conv1(F.silu(self.norm1(x))))
        if self.time is not None and time is not None:
            scale, shift = self.time(time)[..., None, None].chunk(2, 1)
            hidden = hidden * (1 + scale) + shift
        return self.skip(x) + self.conv2(F.silu(hidden))


def attention(q: Tensor, k: Tensor, v: Tensor, heads: int, bias: Tensor | None) -> Tensor:
    """Multi-head attention of q (B, N, D) over k, v (B, M, D); bias is added to the logits, broadcast to (B, heads, N, M).

    Written out, because for a few hundred tokens torch's fused CPU kernel is several times slower in the backward pass.
    """
    b, n, d = q.shape
    m = k.shape[1]
    q = q.view(b, n, heads, d // heads).transpose(1, 2) * (d // heads) ** -0.5
    k = k.view(b, m, heads, d // heads).transpose(1, 2)
    v = v.view(b, m, heads, d // heads).transpose(1, 2)
    logits = q @ k.transpose(-1, -2)
    if bias is not None:
        logits = logits + bias.to(logits.dtype)
    # Autocast would take the softmax in float32, and copy the largest tensor here for it.
    with torch.autocast(q.device.type, enabled=False):
        weights = logits.softmax(-1)
    return (weights @ v).transpose(1, 2).reshape(b, n, d)


def position_encoding(height: int, width: int, channels: int, device: torch.device) -> Tensor:
    """(1, H*W, channels) sinusoidal encoding of the cells' centers, relative to the map's size; channels % 4 == 0."""
    # From a quarter of a wave over the map to four waves.
    frequency = torch.exp(torch.linspace(0, math.log(16.0), channels // 4, device=device)) * (math.pi / 2)
    y = ((torch.arange(height, device=device) + 0.5) / height)[:, None] * frequency
    x = ((torch.arange(width, device=device) + 0.5) / width)[:, None] * frequency
    rows = torch.cat([y.sin(), y.cos()], 1)[:, None].expand(height, width, -1)
    columns = torch.cat([x.sin(), x.cos()], 1)[None].expand(height, width, -1)
    return torch.cat([rows, columns], 2).reshape(1, height * width, channels)


class SpatialAttention(nn.Module):
    """A feature map (B, C, H, W) attends to itself or to context tokens (B, M, D); a residual layer, at first the identity."""

    def __init__(self, channels: int, heads: int, context: int | None = None) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(channels)
        self.place = nn.Linear(32, channels, bias=False)
        self.query = nn.Linear(channels, channels)
        self.key_value = nn.Linear(context or channels, 2 * channels)
        self.out = nn.Linear(channels, channels)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor, context: Tensor | None = None, bias: Tensor | None = None) -> Tensor:
        """See the class; bias is added to the attention logits, broadcast to (B, heads, H*W, M)."""
        b, c, h, w = x.shape
        flat = x.flatten(2).transpose(1, 2)
        tokens = self.norm(flat) + self.place(position_encoding(h, w, 32, x.device))
        key, value = self.key_value(tokens if context is None else context).chunk(2, -1)
        out = flat + self.out(attention(self.query(tokens), key, value, self.heads, bias))
        return out.transpose(1, 2).reshape(b, c, h, w).contiguous(memory_format=torch.channels_last)


def foreground_bias(query: Tensor, key: Tensor, epsilon: float = 0.02) -> Tensor:
    """Attention bias log(q k + (1-q)(1-k) + epsilon): foreground attends to foreground, background to background, softly.

    query: (B, N) and key: (B, M), shares of foreground 0..1.  (B, 1, N, M); shares of 0.5 give a constant, which is no bias.
    """
    q, k = query[:, :, None], key[:, None, :]
    return (q * k + (1 - q) * (1 - k) + epsilon).log()[:, None]


class TransformerBlock(nn.Module):
    """A pre-norm transformer block on region tokens; with ``cross`` it has cross-attention to the references' tokens."""

    def __init__(self, width: int, heads: int, cross: bool) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.qkv, self.out = nn.LayerNorm(width), nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width) if cross else None
        self.query = nn.Linear(width, width) if cross else None
        self.key_value = nn.Linear(width, 2 * width) if cross else None
        self.cross_out = nn.Linear(width, width) if cross else None
        self.norm3 = nn.LayerNorm(width)
        self.wide, self.narrow = nn.Linear(width, 3 * width), nn.Linear(3 * width, width)

    def forward(self, x: Tensor, bias: Tensor, keys: Tensor | None = None, key_bias: Tensor | None = None) -> Tensor:
        """x: (B, N, width) and its attention bias, 0 or -1e4; keys: (B, M, width) of the references and their bias."""
        q, k, v = self.qkv(self.norm1(x)).chunk(3, -1)
        x = x + self.out(attention(q, k, v, self.heads, bias))
        if self.norm2 and self.query and self.key_value and self.cross_out and keys is not None:
            k, v = self.key_value(keys).chunk(2, -1)
            x = x + self.cross_out(attention(self.query(self.norm2(x)), k, v, self.heads, key_bias))
        return x + self.narrow(F.gelu(self.wide(self.norm3(x))))
