"""What changes the reference U-Net for the time of one call.

A network is never switched to another mode: everything that differs between versions and requests, beside the weights,
comes with the call, and is gone after it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from torch import Tensor

SkipTransform = Callable[[int, Tensor], Tensor]
"""(index of the decoder block, its skip (B, C, h, w)) -> the skip it gets instead, same shape."""

Modulation = Callable[[int, Tensor, Tensor], Tensor]
"""(index of the decoder block, its output (B, C, h, w), time embedding (B, 4 * width)) -> the output, same shape."""


def keep_skip(index: int, skip: Tensor) -> Tensor:
    """A ``SkipTransform`` that changes nothing."""
    return skip


def keep_output(index: int, output: Tensor, time: Tensor) -> Tensor:
    """A ``Modulation`` that changes nothing."""
    return output


@dataclass(frozen=True)
class ReferenceFeatures:
    """Normalized self-attention inputs of another pass, which the self-attention of this pass may see.

    Attention injection stores those of the noised reference; a network for backgrounds stores those of its decoder.
    """

    tokens: Mapping[int, Tensor]
    """(B or 1, n, width) by number of transformer block; blocks without an entry attend to their own tokens alone."""
    beside_own: bool = True
    """Whether these tokens are seen together with a position's own tokens, or instead of them."""
    fidelity: tuple[float, ...] = ()
    """For each row of the batch, the share of an attention to its own tokens alone (style fidelity); empty = 0 for all."""
    mask: Tensor | None = None
    """(B or 1, 1, h, w) of the latent's size, not clamped: positions below ``threshold`` attend to their own tokens alone."""
    threshold: float = 0.5
    """A value of ``mask``, 0..1."""


@dataclass(frozen=True)
class UNetHooks:
    """Additions to one call of the U-Net; without arguments it is the plain network."""

    sketch_features: Mapping[str, Tensor] = field(default_factory=dict[str, Tensor])
    """(B or 1, C, h, w) by the name of the encoder block whose output they are added to, before it becomes a skip: a module
    of diffusers' U-Net such as ``conv_in`` or ``down_blocks.0.downsamplers.0``.  Already times the sketch strength."""
    transform_skip: SkipTransform = keep_skip
    """Decoder block 0 is the deepest; a block is a residual block with its transformer and its up-sampler, if any."""
    modulate: Modulation = keep_output
    """Called after every decoder block."""
    reference: ReferenceFeatures | None = None
    """None: self-attention sees its own tokens alone."""
