"""Krita's list of enabled plugins: one line in the ``[python]`` section of ``kritarc``.

The file belongs to Krita and the painter, so it is edited as bytes: only our line changes, and the section around it where we
had to add one.  ``disable(enable(x)) == x`` for every ``x`` without a line of ours.
"""

import re
from pathlib import Path

from shared.atomic_file import replace_atomically

KEY = b"enable_linewash"
LINE = KEY + b"=true"
_HEADER = re.compile(rb"[ \t]*(\[.*\])")
_OURS = re.compile(rb"([ \t]*" + KEY + rb"[ \t]*=[ \t]*)([^\r\n]*)")
_TRUE = (b"true", b"on", b"yes", b"1")


def enable(content: bytes) -> bytes:
    """``content`` with the plugin enabled; the same bytes when it is enabled already."""
    lines = _split_lines(content)
    ours = [index for index, _ in _own_lines(lines)]
    if ours:  # Krita uses the last one
        match = _OURS.match(lines[ours[-1]])
        if match and match.group(2).strip().lower() not in _TRUE:
            lines[ours[-1]] = match.group(1) + b"true" + lines[ours[-1]][match.end() :]
        return b"".join(lines)
    for start, end in _sections(lines):
        if any(line.strip() for line in lines[start + 1 : end]):
            lines.insert(start + 1, LINE + _newline(lines[start]))
            return b"".join(lines)
    newline = b"\r\n" if b"\r\n" in content else b"\n"
    return content + (newline if content else b"") + b"[python]" + newline + LINE + newline


def disable(content: bytes) -> bytes:
    """``content`` without our line, and without the ``[python]`` section when that is empty then."""
    lines = _split_lines(content)
    own = _own_lines(lines)
    drop = {index for index, _ in own}
    for start, end in {section for _, section in own}:
        if not any(line.strip() for index, line in enumerate(lines[start + 1 : end], start + 1) if index not in drop):
            drop.add(start)
            if start > 0 and lines[start - 1].endswith(_newline(lines[start])):
                lines[start - 1] = lines[start - 1][: -len(_newline(lines[start]))]
    return b"".join(line for index, line in enumerate(lines) if index not in drop)


def is_enabled(content: bytes) -> bool:
    """Whether Krita would load the plugin with this ``kritarc``."""
    return bool(_own_lines(_split_lines(content))) and enable(content) == content


def write(path: Path, content: bytes) -> None:
    """Replace the content of ``path`` atomically and keep its permissions; a link stays a link."""
    real = path.resolve()
    real.parent.mkdir(parents=True, exist_ok=True)
    with replace_atomically(real) as part:
        part.write_bytes(content)
        if real.exists():
            part.chmod(real.stat().st_mode & 0o7777)


def read(path: Path) -> bytes:
    """The bytes of ``path``; empty when there is no such file."""
    return path.read_bytes() if path.exists() else b""


def _split_lines(content: bytes) -> list[bytes]:
    return re.findall(rb"[^\n]*\n|[^\n]+", content)


def _newline(line: bytes) -> bytes:
    return b"\r\n" if line.endswith(b"\r\n") else b"\n"


def _sections(lines: list[bytes]) -> list[tuple[int, int]]:
    """(index of the header, index after the last line) of every ``[python]`` section."""
    headers = [(index, match.group(1)) for index, line in enumerate(lines) if (match := _HEADER.match(line))]
    ends = [index for index, _ in headers[1:]] + [len(lines)]
    return [(index, end) for (index, name), end in zip(headers, ends, strict=False) if name == b"[python]"]


def _own_lines(lines: list[bytes]) -> list[tuple[int, tuple[int, int]]]:
    """(index, section) of every line of ours."""
    return [(i, (s, e)) for s, e in _sections(lines) for i in range(s + 1, e) if _OURS.match(lines[i])]
