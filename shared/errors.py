"""The table of errors: a code, the sentence a painter reads, what to do next, and the HTTP status.

Every failure anywhere in Linewash ends as one row of this table.  ``detail`` is for the log and the developer; the painter
reads ``message`` and ``hint``.
"""

import errno
from dataclasses import dataclass
from enum import Enum
from typing import Any, Dict, Optional


class ErrorCode(str, Enum):
    """Stable names of everything that can go wrong; the value travels over HTTP."""

    NO_DOCUMENT = "no_document"
    NO_LINES = "no_lines"
    EMPTY_LINES = "empty_lines"
    NO_REFERENCE = "no_reference"
    EMPTY_REFERENCE = "empty_reference"
    REFERENCE_UNREADABLE = "reference_unreadable"
    TOO_MANY_REFERENCES = "too_many_references"
    MASK_SIZE = "mask_size"
    EMPTY_SELECTION = "empty_selection"
    EMPTY_MASK = "empty_mask"
    HINTS_SIZE = "hints_size"
    EMPTY_HINTS = "empty_hints"
    SELECTION_MASK_SIZE = "selection_mask_size"
    EMPTY_SELECTION_MASK = "empty_selection_mask"
    PREVIOUS_SIZE = "previous_size"
    NO_PREVIOUS = "no_previous"
    CANVAS_TOO_LARGE = "canvas_too_large"
    CANVAS_TOO_SMALL = "canvas_too_small"
    BAD_IMAGE = "bad_image"
    BAD_REQUEST = "bad_request"
    REQUEST_TOO_LARGE = "request_too_large"
    UNKNOWN_MODEL = "unknown_model"
    MODEL_CORRUPT = "model_corrupt"
    MODEL_MISSING = "model_missing"
    MODEL_UNREADABLE = "model_unreadable"
    MODEL_PICKLE = "model_pickle"
    MODEL_UNSAFE = "model_unsafe"
    MODEL_TRUNCATED = "model_truncated"
    MODEL_HEADER = "model_header"
    MODEL_OTHER_FAMILY = "model_other_family"
    MODEL_KEYS = "model_keys"
    COMPANION_MISSING = "companion_missing"
    NO_WORDS = "no_words"
    BAD_SETTING = "bad_setting"
    DOWNLOAD_UNKNOWN = "download_unknown"
    DOWNLOAD_FAILED = "download_failed"
    DOWNLOAD_DAMAGED = "download_damaged"
    DOWNLOAD_NO_ROOM = "download_no_room"
    NOT_INSTALLED = "not_installed"
    BACKEND_START = "backend_start"
    FLATPAK_CLOSED = "flatpak_closed"
    SNAP_CLOSED = "snap_closed"
    BACKEND_GONE = "backend_gone"
    VERSION_MISMATCH = "version_mismatch"
    BAD_TOKEN = "bad_token"
    FORBIDDEN_HOST = "forbidden_host"
    FORBIDDEN_ORIGIN = "forbidden_origin"
    QUEUE_FULL = "queue_full"
    JOB_UNKNOWN = "job_unknown"
    JOB_NOT_DONE = "job_not_done"
    IDEMPOTENCY_CONFLICT = "idempotency_conflict"
    DISK_FULL = "disk_full"
    OUT_OF_MEMORY = "out_of_memory"
    DEVICE_UNAVAILABLE = "device_unavailable"
    WORKER_CRASHED = "worker_crashed"
    INTERRUPTED = "interrupted"
    DOCUMENT_CLOSED = "document_closed"
    LAYER_GONE = "layer_gone"
    CANVAS_CHANGED = "canvas_changed"
    SETUP_NO_PYTHON = "setup_no_python"
    SETUP_BUSY = "setup_busy"
    SETUP_FAILED = "setup_failed"
    INTERNAL = "internal"


DETAIL = "{detail}"
"""Placeholder for an error's detail in a sentence, see ``ErrorText``."""


@dataclass(frozen=True)
class ErrorText:
    """One row of the table.

    ``DETAIL`` in a sentence is replaced by the error's detail.  Only names that Linewash itself knows may be shown this way.
    """

    message: str
    """What went wrong, in one whole sentence."""
    hint: str
    """What the painter can do next, in one whole sentence."""
    status: int
    """The HTTP status code."""


ERRORS: Dict[ErrorCode, ErrorText] = {
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
    ErrorCode.EMPTY_SELECTION: ErrorText("Nothing is selected.", "Select the foreground, or set Foreground to Automatic.", 422),
    ErrorCode.EMPTY_MASK: ErrorText(
        "The foreground mask is empty.", "Paint the foreground white on the mask, or set Foreground to Automatic.", 422
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
    ErrorCode.BAD_REQUEST: ErrorText(
        "The coloring program did not understand the request.", "Run install.py again so that the two match.", 400
    ),
    ErrorCode.REQUEST_TOO_LARGE: ErrorText("The images are too large to send.", "Use a smaller reference.", 413),
    ErrorCode.UNKNOWN_MODEL: ErrorText("That model is not installed.", "Choose another model.", 404),
    ErrorCode.MODEL_CORRUPT: ErrorText(
        "The model file is damaged.", "Download it again, or run install.py to restore a model that came with Linewash.", 500
    ),
    ErrorCode.MODEL_MISSING: ErrorText("The model file is missing.", "Run install.py again to restore it.", 500),
    ErrorCode.DOWNLOAD_UNKNOWN: ErrorText(
        "The hub has no such file.", "Check the names of repository and file, or run linewash models list.", 404
    ),
    ErrorCode.DOWNLOAD_FAILED: ErrorText(
        "The download did not finish.", "Make sure that you are online, then try again: it continues where it stopped.", 502
    ),
    ErrorCode.DOWNLOAD_DAMAGED: ErrorText("The downloaded file is damaged.", "It was deleted; try again.", 502),
    ErrorCode.DOWNLOAD_NO_ROOM: ErrorText(
        "There is not enough disk space for the model.", "Free some space, then run the same command again.", 507
    ),
    ErrorCode.MODEL_UNREADABLE: ErrorText(
        "The file is not a safetensors model.", "Choose a file that ends in .safetensors and was made as one.", 422
    ),
    ErrorCode.MODEL_PICKLE: ErrorText(
        "The file is a pickle, which can run any program.", "Convert it with linewash models convert.", 422
    ),
    ErrorCode.MODEL_UNSAFE: ErrorText(
        "The pickle holds code besides weights.", "Get the model as .safetensors from its publisher.", 422
    ),
    ErrorCode.MODEL_TRUNCATED: ErrorText("The model file is incomplete.", "Download it again.", 422),
    ErrorCode.MODEL_HEADER: ErrorText(
        "The header of the model file does not match its contents.",
        "Do not use this file; get the model from its publisher.",
        422,
    ),
    ErrorCode.MODEL_OTHER_FAMILY: ErrorText("The file holds another kind of model.", "Choose one that Linewash knows.", 422),
    ErrorCode.MODEL_KEYS: ErrorText("The model file does not match its family.", "Get the file again from its publisher.", 422),
    ErrorCode.BAD_SETTING: ErrorText(
        "One of the model's parameters has a value that is not allowed.", "Check the values under More, or press Defaults.", 422
    ),
    ErrorCode.NO_WORDS: ErrorText(
        "This model cannot read text.", "Set Change by to 0, or put CLIP's text encoder and vocabulary beside its weights.", 422
    ),
    ErrorCode.COMPANION_MISSING: ErrorText(
        "The model needs {detail}, which is not installed.", "Get it with linewash models download {detail}.", 422
    ),
    ErrorCode.NOT_INSTALLED: ErrorText(
        "Linewash's coloring program is not installed.", "Press Set Up, or run python3 install.py.", 503
    ),
    ErrorCode.BACKEND_START: ErrorText(
        "Linewash's coloring program did not start.", "Run python3 install.py doctor; it says what is wrong.", 503
    ),
    ErrorCode.FLATPAK_CLOSED: ErrorText(
        "Krita's sandbox (Flatpak) keeps Linewash from starting its coloring program.",
        "Run flatpak override --user --talk-name=org.freedesktop.Flatpak {detail} in a terminal, then restart Krita.",
        503,
    ),
    ErrorCode.SNAP_CLOSED: ErrorText(
        "Krita's sandbox (Snap) keeps Linewash from starting its coloring program.",
        "Set Linewash up from the docker of its release, or use Krita as AppImage or from your system's packages.",
        503,
    ),
    ErrorCode.BACKEND_GONE: ErrorText(
        "The coloring program stopped before it finished.", "Press Colorize again; Linewash restarts it.", 503
    ),
    ErrorCode.VERSION_MISMATCH: ErrorText(
        "The docker and the coloring program have different versions.", "Run install.py again, then restart Krita.", 426
    ),
    ErrorCode.BAD_TOKEN: ErrorText(
        "The coloring program did not accept this Krita's key.",
        "Restart Krita; if that does not help, run install.py again.",
        401,
    ),
    ErrorCode.FORBIDDEN_HOST: ErrorText("The coloring program answers on this computer only.", "Connect to 127.0.0.1.", 421),
    ErrorCode.FORBIDDEN_ORIGIN: ErrorText("The coloring program does not answer web pages.", "Use the Krita docker.", 403),
    ErrorCode.QUEUE_FULL: ErrorText("Too many jobs are waiting.", "Wait until one is finished, or cancel one.", 429),
    ErrorCode.JOB_UNKNOWN: ErrorText("That result is no longer available.", "Press Colorize again.", 404),
    ErrorCode.JOB_NOT_DONE: ErrorText("The result is not finished yet.", "Wait until it is done.", 409),
    ErrorCode.IDEMPOTENCY_CONFLICT: ErrorText(
        "The same request was sent twice with different images.", "Press Colorize again.", 409
    ),
    ErrorCode.DISK_FULL: ErrorText("The disk is full.", "Free some space, then try again.", 507),
    ErrorCode.OUT_OF_MEMORY: ErrorText("There was not enough memory.", "Close other programs or use a smaller canvas.", 507),
    ErrorCode.DEVICE_UNAVAILABLE: ErrorText("That device cannot be chosen now.", "Choose another one in Runs on.", 409),
    ErrorCode.WORKER_CRASHED: ErrorText("The coloring process crashed.", "Press Colorize again; no layer was touched.", 500),
    ErrorCode.INTERRUPTED: ErrorText("The coloring program was stopped before it finished.", "Press Colorize again.", 500),
    ErrorCode.DOCUMENT_CLOSED: ErrorText(
        "The document was closed before its colors arrived.", "Open it and press Colorize again.", 410
    ),
    ErrorCode.LAYER_GONE: ErrorText(
        "The line layer was deleted before its colors arrived.", "Choose the line layer and press Colorize again.", 410
    ),
    ErrorCode.CANVAS_CHANGED: ErrorText("The canvas changed size before its colors arrived.", "Press Colorize again.", 409),
    ErrorCode.SETUP_NO_PYTHON: ErrorText(
        "Linewash found no Python to run with.", "Go online, or install Python 3.12 with venv; then try again.", 503
    ),
    ErrorCode.SETUP_BUSY: ErrorText("A drawing is still being colored.", "Wait until it is finished, then try again.", 503),
    ErrorCode.SETUP_FAILED: ErrorText("The set-up did not start.", "Try again, or import the newest release.", 500),
    ErrorCode.INTERNAL: ErrorText(
        "Something went wrong inside Linewash.", "Run python3 install.py doctor and report what it prints.", 500
    ),
}


class LinewashError(Exception):
    """The only exception that crosses from one package of Linewash to another.

    ``detail`` is for logs.  The painter sees it only where the sentence has a place for it.

    Example: ``raise LinewashError(ErrorCode.EMPTY_LINES, "alpha is 0 everywhere")``
    """

    def __init__(self, code: ErrorCode, detail: str = "") -> None:
        super().__init__("%s: %s" % (code.value, detail) if detail else code.value)
        self.code = code
        self.detail = detail

    @property
    def message(self) -> str:
        """The sentence the painter reads."""
        return ERRORS[self.code].message.replace(DETAIL, self.detail)

    @property
    def hint(self) -> str:
        """What the painter can do next."""
        return ERRORS[self.code].hint.replace(DETAIL, self.detail)

    @property
    def status(self) -> int:
        """The HTTP status code that carries this error."""
        return ERRORS[self.code].status

    def to_json(self) -> Dict[str, Any]:
        """``{"code", "message", "hint", "detail"}``, as sent in the body ``{"error": ...}`` and in ``JobStatus.error``."""
        return {"code": self.code.value, "message": self.message, "hint": self.hint, "detail": self.detail}


def is_disk_full(error: BaseException) -> bool:
    """Whether an error means that the disk is full or the user's disk quota is used up."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


def error_from_os(error: OSError) -> LinewashError:
    """DISK_FULL or INTERNAL, for an error of reading or writing."""
    return LinewashError(ErrorCode.DISK_FULL if is_disk_full(error) else ErrorCode.INTERNAL, str(error))


def error_from_json(data: Any) -> Optional[LinewashError]:
    """The error in ``data`` (as ``to_json`` made it), or None when ``data`` is None.

    A code this version does not know becomes ``INTERNAL`` with the code kept in ``detail``.
    """
    if data is None:
        return None
    code = data.get("code", "") if isinstance(data, dict) else ""
    detail = str(data.get("detail", "")) if isinstance(data, dict) else repr(data)
    try:
        return LinewashError(ErrorCode(code), detail)
    except ValueError:
        return LinewashError(ErrorCode.INTERNAL, "%s %s" % (code, detail))
