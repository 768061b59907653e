"""The table of errors: a code, the sentence a painter reads, what to do next, and the HTTP status.

Every failure anywhere in Linewash ends as one row of this table.  ``detail`` is for the log and the developer; the painter
reads ``message`` and ``hint``.  The rows stand in ``error_table/``.
"""

import errno
from typing import Any, Dict, Optional

from .error_table.codes import DETAIL, ErrorCode, ErrorText
from .error_table.drawing_errors import DRAWING_ERRORS
from .error_table.model_errors import MODEL_ERRORS
from .error_table.program_errors import PROGRAM_ERRORS

__all__ = ("ERRORS", "ErrorCode", "ErrorText", "LinewashError", "error_from_json", "error_from_os", "is_disk_full")

ERRORS: Dict[ErrorCode, ErrorText] = {**DRAWING_ERRORS, **MODEL_ERRORS, **PROGRAM_ERRORS}


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
