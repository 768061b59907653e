"""Keys and values, and the attention to them."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class KeyValue:
    """Keys and values (rows, heads, n, d) of one set of tokens in one attention layer."""

    key: Tensor
    value: Tensor

    def attend(self, query: Tensor, visible: Tensor | None = None) -> Tensor:
        """Queries (B, heads, N, d) -> attended values (B, N, heads * d), before the layer's output projection.

        ``visible`` is boolean (B or 1, 1, N, n): False where a query must not see a token.
        """
        attended = F.scaled_dot_product_attention(query, self.key, self.value, visible)
        return attended.transpose(1, 2).flatten(2)

    def join(self, other: "KeyValue") -> "KeyValue":
        """These tokens, then those of ``other``."""
        return KeyValue(torch.cat([self.key, other.key], dim=2), torch.cat([self.value, other.value], dim=2))

    def row(self, row: int) -> "KeyValue":
        """The tokens of one row of the batch."""
        return KeyValue(self.key[row : row + 1], self.value[row : row + 1])

    def expand(self, rows: int) -> "KeyValue":
        """The tokens of one row for every row of a batch; nothing changes where there are ``rows`` already."""
        return KeyValue(self.key.expand(rows, -1, -1, -1), self.value.expand(rows, -1, -1, -1))
