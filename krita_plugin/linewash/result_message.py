"""What the docker says when a result is in the document."""

from typing import List

from .jobs.backend_job import JobResult
from .krita_api.colorize_masks import find_visible_masks
from .krita_api.document import Document
from .krita_api.hidden_results import WrittenGroup
from .state.session import GRAYSCALE, Message, Severity


def describe_result(document: Document, result: JobResult, written: WrittenGroup) -> Message:
    """How it went, and what a painter may wonder about."""
    notes: List[str] = list(result.status.warnings)
    if written.hidden:
        notes.append("The earlier result is hidden.")
    covering = find_visible_masks(document.find_node(result.layers.lines_id))
    if covering and not result.layers.lies_over_lines:
        notes.append('Your colorize mask "%s" lies over it: hide the mask to see the new colors.' % covering[-1])
    if document.is_grayscale:
        notes += [GRAYSCALE.text, GRAYSCALE.hint]
    return Message(result.text, " ".join(notes), Severity.GOOD)
