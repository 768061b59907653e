"""The codes of errors, and what a row of their table holds."""

from dataclasses import dataclass
from enum import Enum


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
    NO_MASK = "no_mask"
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
    MODEL_PART_MISSING = "model_part_missing"
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
    BACKEND_STAYS = "backend_stays"
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
