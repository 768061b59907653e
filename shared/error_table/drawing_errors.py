"""Errors about what the painter gives: document, layers, masks, references."""

from typing import Dict

from .codes import ErrorCode, ErrorText

DRAWING_ERRORS: Dict[ErrorCode, ErrorText] = {
    ErrorCode.NO_DOCUMENT: ErrorText("No document is open.", "Open a line drawing first.", 400),
    ErrorCode.NO_LINES: ErrorText("There is no line layer.", "Choose the layer that holds your lines in Lines.", 400),
    ErrorCode.EMPTY_LINES: ErrorText(
        "The line layer is empty.", "Choose the layer with your drawing, or show it if it is hidden inside a group.", 422
    ),
    ErrorCode.NO_REFERENCE: ErrorText(
        "There is no reference.", "Press + and add a layer or an image file with the colors you want.", 400
    ),
    ErrorCode.EMPTY_REFERENCE: ErrorText("The reference is empty.", "Choose another layer or file as the reference.", 422),
    ErrorCode.REFERENCE_UNREADABLE: ErrorText("The reference file cannot be read.", "Choose a PNG or JPEG that exists.", 422),
    ErrorCode.TOO_MANY_REFERENCES: ErrorText("There are too many references.", "Remove some of them.", 422),
    ErrorCode.MASK_SIZE: ErrorText(
        "The foreground mask is not the size of the canvas.", "Make the mask as large as the canvas.", 422
    ),
    ErrorCode.EMPTY_SELECTION: ErrorText(
        "Nothing is selected.", "Select the foreground, or choose something else under Foreground.", 422
    ),
    ErrorCode.NO_MASK: ErrorText("A foreground mask is still to be chosen.", "Choose it in the list under Foreground.", 400),
    ErrorCode.EMPTY_MASK: ErrorText(
        "A foreground mask is empty.", "Paint the foreground white on the mask, or choose another one under Foreground.", 422
    ),
    ErrorCode.HINTS_SIZE: ErrorText(
        "The hints layer is not the size of the canvas.", "Make the hints layer as large as the canvas.", 422
    ),
    ErrorCode.EMPTY_HINTS: ErrorText("The hints layer is empty.", "Paint strokes of color on it, or set Hints to None.", 422),
    ErrorCode.SELECTION_MASK_SIZE: ErrorText(
        "The selection is not the size of the canvas.", "Make it as large as the canvas.", 422
    ),
    ErrorCode.EMPTY_SELECTION_MASK: ErrorText(
        "Nothing is selected to recolor.", "Select part of the canvas, or set Area to Whole canvas.", 422
    ),
    ErrorCode.PREVIOUS_SIZE: ErrorText(
        "The earlier result is not the size of the canvas.", "Color the whole canvas again first.", 422
    ),
    ErrorCode.NO_PREVIOUS: ErrorText(
        "There is no earlier result to recolor.", "Color the whole canvas first: set Area to Whole canvas.", 400
    ),
    ErrorCode.CANVAS_TOO_LARGE: ErrorText(
        "The canvas is too large.", "Linewash colors up to 8192 pixels a side; scale the document down first.", 413
    ),
    ErrorCode.CANVAS_TOO_SMALL: ErrorText("The canvas is too small.", "Linewash needs at least 64 pixels a side.", 422),
    ErrorCode.BAD_IMAGE: ErrorText("An image is damaged.", "Press Colorize again.", 422),
    ErrorCode.DOCUMENT_CLOSED: ErrorText(
        "The document was closed before its colors arrived.", "Open it and press Colorize again.", 410
    ),
    ErrorCode.LAYER_GONE: ErrorText(
        "The line layer was deleted before its colors arrived.", "Choose the line layer and press Colorize again.", 410
    ),
    ErrorCode.CANVAS_CHANGED: ErrorText("The canvas changed size before its colors arrived.", "Press Colorize again.", 409),
}
