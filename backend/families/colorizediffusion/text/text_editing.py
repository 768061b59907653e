"""Applies the text edits of a request to the reference's tokens (spec 17 and 19)."""

from collections.abc import Callable

from torch import Tensor

from backend.families.colorizediffusion.options import TextEditOptions
from backend.families.colorizediffusion.text.token_editing import Edit, apply_edits
from shared.errors import ErrorCode, LinewashError

ReadTexts = Callable[[list[str]], Tensor]
"""Encodes texts as L2-normalized features (B, 1, C)."""


def apply_text_edits(tokens: Tensor, options: TextEditOptions | None, read_texts: ReadTexts | None) -> Tensor:
    """All tokens of the reference (1, 257, C), class token first, after the edits; unchanged when ``options`` is None.

    Raises LinewashError NO_WORDS when the model has no text part (``read_texts`` is None).
    """
    if options is None:
        return tokens
    if read_texts is None:
        raise LinewashError(ErrorCode.NO_WORDS)
    count = len(options.targets)
    controls = [control or target for control, target in zip(options.controls, options.targets, strict=True)]
    # All texts are encoded in one batch: targets, controls, then the anchors of those edits that have one.
    features = read_texts([*options.targets, *controls, *filter(None, options.anchors)]).to(tokens).split(1)
    anchor_features = iter(features[2 * count :])
    anchors = [next(anchor_features) if anchor else None for anchor in options.anchors]
    return apply_edits(
        tokens,
        [
            Edit(target, anchor, control, options.scale, options.enhanced, options.thresholds)
            for target, anchor, control in zip(features[:count], anchors, features[count : 2 * count], strict=True)
        ],
    )
