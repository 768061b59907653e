"""Edits of the reference's tokens by words, as the parameters of a request ask for them (spec 17 and 19)."""

from collections.abc import Callable

from torch import Tensor

from backend.families.colorizediffusion.strengths import number, numbers, switched, text
from backend.families.colorizediffusion.token_editing import THRESHOLDS, Edit, Thresholds, apply_edits
from shared.errors import ErrorCode, LinewashError
from shared.model_spec import ParameterValues

ReadTexts = Callable[[list[str]], Tensor]
"""Texts to L2-normalized features (B, 1, C)."""


def apply_text_edits(tokens: Tensor, values: ParameterValues, read: ReadTexts | None) -> Tensor:
    """All tokens of the reference (1, 257, C), class token first, after the changes the parameters name; none at scale 0.

    Several changes, one after the other, stand between semicolons: in the target and, where given, in anchor and control.

    Raises LinewashError: NO_WORDS when the model has no text part (``read`` is None), BAD_SETTING for words or levels that are
    missing or make no sense.
    """
    scale, target = number(values, "edit_scale"), text(values, "edit_target")
    if scale == 0:
        return tokens
    if read is None:
        raise LinewashError(ErrorCode.NO_WORDS)
    if not all(_several(target)):
        raise LinewashError(ErrorCode.BAD_SETTING, "edit_scale without edit_target")
    targets = _several(target)
    anchors, controls = _matching(values, "edit_anchor", targets), _matching(values, "edit_control", targets)
    features = read([*targets, *(c or t for c, t in zip(controls, targets, strict=True)), *filter(None, anchors)]).to(tokens)
    levels, enhanced, each = _thresholds(values), switched(values, "edit_enhanced"), features.split(1)
    to, where, origins = each[: len(targets)], each[len(targets) : 2 * len(targets)], iter(each[2 * len(targets) :])
    origin = [next(origins) if anchor else None for anchor in anchors]
    edits = [Edit(t, o, w, scale, enhanced, levels) for t, o, w in zip(to, origin, where, strict=True)]
    return apply_edits(tokens, edits)


def _several(words: str) -> list[str]:
    return [each.strip() for each in words.split(";")]


def _matching(values: ParameterValues, name: str, targets: list[str]) -> list[str]:
    """One text for each target; none at all means an empty one for each."""
    given = _several(text(values, name)) if text(values, name) else [""] * len(targets)
    if len(given) != len(targets):
        raise LinewashError(ErrorCode.BAD_SETTING, f"{name} has {len(given)} parts, edit_target {len(targets)}")
    return given


def _thresholds(values: ParameterValues) -> Thresholds:
    found = numbers(values, "edit_thresholds", len(THRESHOLDS))
    if not found:
        return THRESHOLDS
    if sorted(set(found)) != list(found):
        raise LinewashError(ErrorCode.BAD_SETTING, "edit_thresholds do not rise")
    a, b, c, d = found
    return a, b, c, d
