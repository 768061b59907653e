"""Denoising one drawing: the branches of guidance in one batch, and attention injection (spec sections 13, 15 and 16)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from backend.families.diffusion.guidance import Branch, Guidance, progress
from backend.families.diffusion.noise_schedule import alphas_cumprod
from backend.networks.colorizediffusion.attention_inputs import CachedKeyValues, CrossAttentionInput
from backend.networks.colorizediffusion.hooks import ReferenceFeatures, UNetHooks
from backend.networks.colorizediffusion.unet import ReferenceUNet

Features = Mapping[str, Tensor]
"""Sketch features by the block of the U-Net they are added to, see ``UNetHooks.sketch_features``."""


@dataclass(frozen=True)
class Conditioning:
    """What the U-Net is told of one drawing beside the noisy latent; every tensor has one row."""

    sketch: Features
    """Of the lines, times the sketch strength."""
    blank: Features
    """Of a sketch without lines, times the sketch strength."""
    cross_attention: CrossAttentionInput
    """Of the branches that see the reference."""
    hooks: UNetHooks = field(default_factory=UNetHooks)
    """What a version adds in all branches, beside sketch features and attention injection."""
    vector: Tensor | None = None
    """See ``ReferenceUNet.forward``."""


@dataclass(frozen=True)
class Injection:
    """Attention injection: self-attention also sees the features of the reference's own pixels."""

    latent: Tensor
    """The reference at the drawing's size, scaled, (1, 4, h, w)."""
    features: Features
    """Sketch features of the reference's negative, times a strength of their own."""
    style_fidelity: float
    """0..1, how far the reference-negative row attends to itself alone."""
    start: float
    """``guidance.progress`` from which on it is used."""


@dataclass(frozen=True)
class _Rows:
    branches: tuple[Branch, ...]
    features: Features
    key_values: CachedKeyValues


class GuidedDenoiser:
    """The U-Net with guidance, as samplers call it: a ``Denoiser`` of ``families/diffusion/denoiser.py``.

    Keys and values are computed once for each set of rows; a row of zero tokens costs no cross-attention.
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
        """The network's guided output for a latent (1, 4, h, w) at time step t, 0..999."""
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
        """The batch of these branches: they differ in sketch features, and in tokens, which are zero without the reference."""
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
        """Of the reference, noised as far as the drawing is; the noise is new for every model evaluation."""
        whole = round(t)
        abar = float(alphas_cumprod()[whole])
        noise = torch.randn(injection.latent.shape, generator=self._generator).to(latent)
        noisy = abar**0.5 * injection.latent + (1 - abar) ** 0.5 * noise
        count = len(rows.branches)
        tokens = self._unet.encode_reference(
            noisy.expand(count, -1, -1, -1),
            _time_tensor(whole, latent),
            rows.key_values,
            replace(self._conditioning.hooks, sketch_features=injection.features),
            self._conditioning.vector,
        )
        # Without guidance the only row sees the reference in full, even where its tokens are zero.
        guided = count > 1
        fidelity = (injection.style_fidelity if guided and not branch.reference else 0.0 for branch in rows.branches)
        return ReferenceFeatures(tokens, fidelity=tuple(fidelity))


def _time_tensor(t: float, like: Tensor) -> Tensor:
    return torch.tensor(float(t), device=like.device)


def scale_features(features: Features, strength: float) -> Features:
    """Sketch features times a strength (spec 6)."""
    return {block: feature * strength for block, feature in features.items()}
