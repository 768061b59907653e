"""Edits of image tokens by text features (spec 17).  All functions are pure."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

Thresholds = tuple[float, float, float, float]
"""Rising similarities in 0..1, between which ``position_weight`` interpolates."""
THRESHOLDS: Thresholds = (0.5, 0.55, 0.65, 0.95)


@dataclass(frozen=True)
class Edit:
    """One change of an image's tokens.  Texts are L2-normalized features (1, 1, C) or (B, 1, C)."""

    target: Tensor
    """The text that the tokens move towards."""
    anchor: Tensor | None
    """The text that the tokens move away from; None = from nothing."""
    control: Tensor
    """Tokens move where they are similar to this text."""
    scale: float
    """How similar to the target the image shall become."""
    enhanced: bool = False
    """Measure the change from the anchor, and make it stronger.  Without an anchor this affects global edits only."""
    thresholds: Thresholds = THRESHOLDS


def similarity(tokens: Tensor, text: Tensor) -> Tensor:
    """Similarity (B, n, 1) of tokens (B, n, C), which are not normalized, to a text (1 or B, 1, C)."""
    return tokens @ text.transpose(1, 2)


def position_weight(similarities: Tensor, distance: Tensor, thresholds: Thresholds = THRESHOLDS) -> Tensor:
    """How far each token moves (B, n, 1), from similarities (B, n, 1) and the move of the class token ``distance`` (B, 1, 1).

    Similarities are scaled to 0..1 over an image's tokens.  Dissimilar tokens move the other way, by up to twice the distance.
    Where all tokens are equally similar, as in an image of one token, none moves: no position is more like the text than any
    other, and the weight of dissimilar tokens (-2) would move the whole image away from the target.
    """
    low, high = similarities.amin(1, keepdim=True), similarities.amax(1, keepdim=True)
    spread = high - low
    m = (similarities - low) / torch.where(spread > 0, spread, torch.ones_like(spread))
    t0, t1, t2, t3 = thresholds
    # Piecewise linear, from the highest piece down: -2 to t0, then -1..0 to t1, 0..0.5 to t2, 0.5..1 to t3, and 1.
    weight = torch.where(m <= t3, 0.5 + 0.5 * (m - t2) / (t3 - t2), torch.ones_like(m))
    weight = torch.where(m <= t2, 0.5 * (m - t1) / (t2 - t1), weight)
    weight = torch.where(m <= t1, -1 + (m - t0) / (t1 - t0), weight)
    weight = torch.where(m <= t0, torch.full_like(m, -2.0), weight)
    return distance * torch.where(spread > 0, weight, torch.zeros_like(m))


def edit_locally(tokens: Tensor, edit: Edit) -> Tensor:
    """All tokens (B, 1 + n, C), class token first, with the patch tokens edited."""
    class_token, patches = tokens[:, :1], tokens[:, 1:]
    origin, direction = edit.target, edit.target
    if edit.anchor is not None:
        direction = edit.target - edit.anchor
        origin = edit.anchor if edit.enhanced else edit.target
    weight = position_weight(similarity(patches, edit.control), edit.scale - similarity(class_token, origin), edit.thresholds)
    if edit.anchor is not None and edit.enhanced:
        weight = weight + similarity(patches, edit.anchor)
    return torch.cat([class_token, patches + weight * direction], 1)


def edit_globally(tokens: Tensor, edit: Edit) -> Tensor:
    """The class token alone (B, 1, C), edited; ``control`` and ``thresholds`` have no effect."""
    if edit.anchor is None:
        distance = edit.scale if edit.enhanced else edit.scale - similarity(tokens, edit.target)
        return tokens + distance * edit.target
    if edit.enhanced:
        return tokens - similarity(tokens, edit.anchor) * edit.anchor + edit.scale * edit.target
    return tokens + edit.scale * (edit.target - edit.anchor)


def apply_edits(tokens: Tensor, edits: Iterable[Edit]) -> Tensor:
    """Local edits one after the other, except those of scale 0; tokens as in ``edit_locally``."""
    for edit in edits:
        if edit.scale > 0:
            tokens = edit_locally(tokens, edit)
    return tokens
