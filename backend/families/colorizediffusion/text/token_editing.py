"""Edits of image tokens by words (spec 17); all pure functions."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

THRESHOLDS = (0.5, 0.55, 0.65, 0.95)
Thresholds = tuple[float, float, float, float]


@dataclass(frozen=True)
class Edit:
    """One change: towards ``target``, away from ``anchor`` (None: from nothing), where the picture is like ``control``.

    Texts are L2-normalized features (1, 1, C) or (B, 1, C).  scale: how similar to the target the picture shall become.
    enhanced: measured from the anchor, and stronger; without an anchor it changes global edits only.
    """

    target: Tensor
    anchor: Tensor | None
    control: Tensor
    scale: float
    enhanced: bool = False
    thresholds: Thresholds = THRESHOLDS


def similarity(tokens: Tensor, text: Tensor) -> Tensor:
    """(B, n, C) tokens, not normalized, and a text (1 or B, 1, C) -> (B, n, 1)."""
    return tokens @ text.transpose(1, 2)


def position_weight(similar: Tensor, distance: Tensor, thresholds: Thresholds = THRESHOLDS) -> Tensor:
    """How far each token moves: similarities (B, n, 1), the move of the class token (B, 1, 1) -> (B, n, 1).

    Similarities are stretched to 0..1 over a picture's tokens.  Unlike tokens move the other way, by up to twice the distance.
    Where all are alike, as in a picture of one token, none moves: no place is more like the text than any other, and as unlike
    (-2) the whole picture would move away from what is asked for.
    """
    low, high = similar.amin(1, keepdim=True), similar.amax(1, keepdim=True)
    spread = high - low
    m = (similar - low) / torch.where(spread > 0, spread, torch.ones_like(spread))
    t0, t1, t2, t3 = thresholds
    weight = torch.where(m <= t3, 0.5 + 0.5 * (m - t2) / (t3 - t2), torch.ones_like(m))
    weight = torch.where(m <= t2, 0.5 * (m - t1) / (t2 - t1), weight)
    weight = torch.where(m <= t1, -1 + (m - t0) / (t1 - t0), weight)
    weight = torch.where(m <= t0, torch.full_like(m, -2.0), weight)
    return distance * torch.where(spread > 0, weight, torch.zeros_like(m))


def edit_locally(tokens: Tensor, edit: Edit) -> Tensor:
    """All tokens (B, 1 + n, C), class token first -> the same with the patch tokens changed."""
    whole, patches = tokens[:, :1], tokens[:, 1:]
    origin, direction = edit.target, edit.target
    if edit.anchor is not None:
        direction = edit.target - edit.anchor
        origin = edit.anchor if edit.enhanced else edit.target
    weight = position_weight(similarity(patches, edit.control), edit.scale - similarity(whole, origin), edit.thresholds)
    if edit.anchor is not None and edit.enhanced:
        weight = weight + similarity(patches, edit.anchor)
    return torch.cat([whole, patches + weight * direction], 1)


def edit_globally(tokens: Tensor, edit: Edit) -> Tensor:
    """The class token as a picture's only one, (B, 1, C), changed as a whole; control and thresholds play no part."""
    if edit.anchor is None:
        distance = edit.scale if edit.enhanced else edit.scale - similarity(tokens, edit.target)
        return tokens + distance * edit.target
    if edit.enhanced:
        return tokens - similarity(tokens, edit.anchor) * edit.anchor + edit.scale * edit.target
    return tokens + edit.scale * (edit.target - edit.anchor)


def apply_edits(tokens: Tensor, edits: Iterable[Edit]) -> Tensor:
    """Local edits one after the other, those of scale 0 left out; tokens as for ``edit_locally``."""
    for edit in edits:
        if edit.scale > 0:
            tokens = edit_locally(tokens, edit)
    return tokens
