"""Denoises one drawing: guidance branches in one batch, and attention injection (spec sections 13, 15 and 16)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from backend.families.diffusion.guidance import Branch, Guidance, progress
from backend.families.diffusion.noise_schedule import alphas_cumprod
from backend.networks.colorizediffusion.attention_inputs import CachedKeyValues, CrossAttentionInput
from backend.networks.colorizediffusion.hooks import ReferenceFeatures, UNetHooks
from backend.networks.colorizediffusion.unet import ReferenceUNet

Features = Mapping[str, Tensor]
"""Sketch features by the U-Net block they are added to, see ``UNetHooks.sketch_features``."""


@dataclass(frozen=True)
class Conditioning:
    """Conditioning of the U-Net for one drawing, besides the noisy latent.  Every tensor has one row."""

    sketch: Features
    """Features of the lines, times the sketch strength."""
    blank: Features
    """Features of a sketch without lines, times the sketch strength."""
    cross_attention: CrossAttentionInput
    """For the branches that see the reference."""
    hooks: UNetHooks = field(default_factory=UNetHooks)
    """Hooks of the version for all branches, besides sketch features and attention injection."""
    vector: Tensor | None = None
    """See ``ReferenceUNet.forward``."""


@dataclass(frozen=True)
class Injection:
    """Attention injection: self-attention also attends to features of the reference's pixels."""

    latent: Tensor
    """The reference's scaled latent at the drawing's size, (1, 4, h, w)."""
    features: Features
    """Sketch features of the inverted reference, times their own strength."""
    style_fidelity: float
    """0..1, how far the row without the reference attends to itself alone."""
    start: float
    """``guidance.progress`` from which on injection is used."""


@dataclass(frozen=True)
class _Rows:
    """A batch with one row for each branch."""

    branches: tuple[Branch, ...]
    features: Features
    key_values: CachedKeyValues


class GuidedDenoiser:
    """The U-Net with guidance, in the form that samplers call: a ``Denoiser`` of ``families/diffusion/denoiser.py``.

    Keys and values are computed once for each set of branches.  A row of zero tokens skips cross-attention.
    """

    def __init__(
        self,
        unet: ReferenceUNet,
        conditioning: Conditioning,
        guidance: Guidance,
        injection: Injection | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        self._unet, self._conditioning, self._guidance = unet, conditioning, guidance
        self._injection, self._generator = injection, generator
        self._rows: dict[tuple[Branch, ...], _Rows] = {}

    def __call__(self, latent: Tensor, t: float) -> Tensor:
        """The guided prediction for a latent (1, 4, h, w) at time step t, 0..999."""
        rows = self._rows_for(self._guidance.branches(t))
        count = len(rows.branches)
        hooks = replace(self._conditioning.hooks, sketch_features=rows.features)
        if self._injection is not None and progress(t) >= self._injection.start:
            hooks = replace(hooks, reference=self._reference_features(self._injection, latent, t, rows))
        output = self._unet(
            latent.expand(count, -1, -1, -1), _time_tensor(t, latent), rows.key_values, hooks, self._conditioning.vector
        )
        return self._guidance.combine(dict(zip(rows.branches, output.float().chunk(count), strict=True)))

    def _rows_for(self, branches: tuple[Branch, ...]) -> _Rows:
        """The batch of these branches.  They differ in sketch features and in tokens, which are zero without the reference."""
        if branches not in self._rows:
            lines, blank = self._conditioning.sketch, self._conditioning.blank
            features = [lines if branch.sketch else blank for branch in branches]
            cross_attention = self._conditioning.cross_attention
            zero = torch.zeros_like(cross_attention.context)
            context = torch.cat([cross_attention.context if branch.reference else zero for branch in branches])
            self._rows[branches] = _Rows(
                branches,
                {block: torch.cat([row[block] for row in features]) for block in lines},
                self._unet.prepare(replace(cross_attention, context=context)),
            )
        return self._rows[branches]

    def _reference_features(self, injection: Injection, latent: Tensor, t: float, rows: _Rows) -> ReferenceFeatures:
        """Features of the reference, noised to the drawing's noise level with new noise at every model evaluation."""
        nearest = round(t)
        abar = float(alphas_cumprod()[nearest])
        noise = torch.randn(injection.latent.shape, generator=self._generator).to(latent)
        noisy = abar**0.5 * injection.latent + (1 - abar) ** 0.5 * noise
        count = len(rows.branches)
        tokens = self._unet.encode_reference(
            noisy.expand(count, -1, -1, -1),
            _time_tensor(t, latent),  # not the nearest: so says XL's reference program at fractional times
            rows.key_values,
            replace(self._conditioning.hooks, sketch_features=injection.features),
            self._conditioning.vector,
        )
        # Without guidance the only row sees the whole reference, even where its tokens are zero.
        has_guidance = count > 1
        fidelity = (injection.style_fidelity if has_guidance and not branch.reference else 0.0 for branch in rows.branches)
        return ReferenceFeatures(tokens, fidelity=tuple(fidelity))


def _time_tensor(t: float, like: Tensor) -> Tensor:
    return torch.tensor(float(t), device=like.device)


def scale_features(features: Features, strength: float, levels: Sequence[float] = ()) -> Features:
    """Sketch features times a strength (spec 6), and each block's times its own (spec XL 4)."""
    factors = levels or (1.0,) * len(features)
    return {block: x * (strength * factor) for (block, x), factor in zip(features.items(), factors, strict=True)}
