"""Where a painter moved Krita's resource folder: ``ResourceDirectory`` above the first section of ``kritarc``.

Krita 5.1 to 6.0 read it alike (tried in each): the last line counts, ``[$e]`` after the key means that variables in the value
are replaced, and the folder that plugins had before is not looked into any more.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path

_KEY = re.compile(rb"[ \t]*ResourceDirectory((?:\[[^\]]*\])*)[ \t]*=[ \t]*([^\r\n]*)")
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\}|(\$))")
_ESCAPE = re.compile(rb"\\(?:x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_LETTERS = {b"s": b" ", b"t": b"\t", b"n": b"\n", b"r": b"\r"}


def moved_folder(settings: bytes, environ: Mapping[str, str]) -> Path | None:
    """The folder that ``settings``, the content of a ``kritarc``, names; None when there is none that Krita would use.

    Krita falls back to the ordinary folder, or does not start at all, where this one is not absolute, no folder, or may not
    be written.  It creates one that is missing.
    """
    folder = Path(_setting(settings, environ))
    return folder if folder.is_absolute() and _is_usable(folder) else None


def relative_folder(settings: bytes, environ: Mapping[str, str]) -> str:
    """The folder that ``settings`` names where it is not absolute on this system, as it stands there; '' when there is none.

    With such a one Krita 5.1 and 5.2 load no plugin at all: it may be a path of another system, as of a copied ``kritarc``.
    """
    text = _setting(settings, environ)
    return "" if Path(text).is_absolute() else text


def _setting(settings: bytes, environ: Mapping[str, str]) -> str:
    """The value of ``ResourceDirectory``, '' when there is none."""
    top = re.split(rb"(?m)^[ \t]*\[", settings, maxsplit=1)[0]
    lines = [match for line in top.split(b"\n") if (match := _KEY.match(line))]
    if not lines:
        return ""
    options, value = lines[-1].groups()
    text = os.fsdecode(_ESCAPE.sub(_plain, value.strip()))
    if b"$" in options and b"e" in options:
        text = _VARIABLE.sub(lambda match: match[3] or environ.get(match[1] or match[2], ""), text)
    return text


def _plain(escape: "re.Match[bytes]") -> bytes:
    number, letter = escape.groups()
    return bytes([int(number, 16)]) if number else _LETTERS.get(letter, letter)


def _is_usable(folder: Path) -> bool:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    return existing.is_dir() and os.access(existing, os.W_OK)
