"""Edits of the reference's tokens by words, as the parameters of a request ask for them (spec 17 and 19)."""

from collections.abc import Callable

from torch import Tensor

from backend.families.colorizediffusion.manipulation import THRESHOLDS, Edit, Thresholds, edited
from backend.families.colorizediffusion.settings import number, numbers, switched, text
from shared.describing import Values
from shared.errors import ErrorCode, LinewashError

ReadTexts = Callable[[list[str]], Tensor]
"""Texts to L2-normalised features (B, 1, C)."""


def edited_by_words(tokens: Tensor, values: Values, read: ReadTexts | None) -> Tensor:
    """All tokens of the reference (1, 257, C), class token first, after the change the parameters name; none when it is 0.

    Raises LinewashError: NO_WORDS when the model has no text part (``read`` is None), BAD_SETTING for words or levels that are
    missing or make no sense.
    """
    scale, target = number(values, "edit_scale"), text(values, "edit_target")
    if scale == 0:
        return tokens
    if read is None:
        raise LinewashError(ErrorCode.NO_WORDS)
    if not target:
        raise LinewashError(ErrorCode.BAD_SETTING, "edit_scale without edit_target")
    anchor, control = text(values, "edit_anchor"), text(values, "edit_control") or target
    features = read([target, control, *([anchor] if anchor else [])]).to(tokens)
    edit = Edit(
        target=features[:1],
        anchor=features[2:] if anchor else None,
        control=features[1:2],
        scale=scale,
        enhanced=switched(values, "edit_enhanced"),
        thresholds=_thresholds(values),
    )
    return edited(tokens, [edit])


def _thresholds(values: Values) -> Thresholds:
    found = numbers(values, "edit_thresholds", len(THRESHOLDS))
    if not found:
        return THRESHOLDS
    if sorted(set(found)) != list(found):
        raise LinewashError(ErrorCode.BAD_SETTING, "edit_thresholds do not rise")
    a, b, c, d = found
    return a, b, c, d
