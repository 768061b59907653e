"""The denoising of one picture: branches of guidance in one batch, and attention injection (spec sections 13, 15 and 16)."""

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
    """What the U-Net is told of one picture, each of one row.

    sketch, blank: the sketch features of the lines and of no lines, times the sketch strength.  hooks: what a version adds
    in all branches, beside the sketch features and attention injection.  vector: see ``ReferenceUNet.forward``.
    """

    sketch: Features
    blank: Features
    attending: CrossAttentionInput
    hooks: UNetHooks = field(default_factory=UNetHooks)
    vector: Tensor | None = None


@dataclass(frozen=True)
class Injection:
    """What the reference's own pixels have to say.

    latent: (1, 4, h, w), scaled, of the reference at the picture's size.  features: the sketch features of its negative, times
    their own fidelity.  caution: style fidelity 0..1, how far the reference-negative row is kept to itself.  start: progress
    (see ``guidance.progress``) from which on it is used.
    """

    latent: Tensor
    features: Features
    style_fidelity: float
    start: float


@dataclass(frozen=True)
class _Rows:
    branches: tuple[Branch, ...]
    features: Features
    prepared: CachedKeyValues


class GuidedDenoiser:
    """The U-Net as a function of a noisy latent and a time, guidance done: a ``Denoiser`` of ``evaluation``.

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
        self._unet, self._told, self._guidance = unet, conditioning, guidance
        self._injection, self._generator = injection, generator
        self._rows: dict[tuple[Branch, ...], _Rows] = {}

    def __call__(self, latent: Tensor, t: float) -> Tensor:
        """(1, 4, h, w) and 0..999 to the network's guided output."""
        rows = self._needed(self._guidance.branches(t))
        count = len(rows.branches)
        hooks = replace(self._told.hooks, sketch_features=rows.features)
        reference = self._reference_features(latent, t, rows)
        if reference is not None:
            hooks = replace(hooks, reference=reference)
        output = self._unet(latent.expand(count, -1, -1, -1), _times(t, latent), rows.prepared, hooks, self._told.vector)
        return self._guidance.combine(dict(zip(rows.branches, output.float().chunk(count), strict=True)))

    def _needed(self, branches: tuple[Branch, ...]) -> _Rows:
        if branches not in self._rows:
            told = self._told
            features = [told.sketch if branch.sketch else told.blank for branch in branches]
            zero = torch.zeros_like(told.attending.context)
            context = torch.cat([told.attending.context if branch.reference else zero for branch in branches])
            prepared = self._unet.prepare(replace(told.attending, context=context))
            stacked = {name: torch.cat([each[name] for each in features]) for name in told.sketch}
            self._rows[branches] = _Rows(branches, stacked, prepared)
        return self._rows[branches]

    def _reference_features(self, latent: Tensor, t: float, rows: _Rows) -> ReferenceFeatures | None:
        """The reference noised as far as the picture is, seen by the same network; the noise is new for every look."""
        injection = self._injection
        if injection is None or progress(t) < injection.start:
            return None
        whole = round(t)
        kept = float(alphas_cumprod()[whole])
        noise = torch.randn(injection.latent.shape, generator=self._generator).to(latent)
        noisy = kept**0.5 * injection.latent + (1 - kept) ** 0.5 * noise
        count = len(rows.branches)
        guided = count > 1
        caution = tuple(injection.style_fidelity if guided and not branch.reference else 0.0 for branch in rows.branches)
        tokens = self._unet.encode_reference(
            noisy.expand(count, -1, -1, -1),
            _times(whole, latent),
            rows.prepared,
            replace(self._told.hooks, sketch_features=injection.features),
            self._told.vector,
        )
        return ReferenceFeatures(tokens, fidelity=caution)


def _times(t: float, like: Tensor) -> Tensor:
    return torch.tensor(float(t), device=like.device)


def strengthened(features: Features, strength: float) -> Features:
    """Sketch features times a strength (spec 6)."""
    return {block: feature * strength for block, feature in features.items()}
