"""The installer's output, and the exception that stops it."""

import sys


class InstallError(Exception):
    """A problem that the painter has to fix; the text says in one or two sentences what is wrong and what to do."""


def info(text: str) -> None:
    """Print one line and flush it, so that it also appears at once in a pipe."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def format_gigabytes(size: int) -> str:
    """Bytes as text for the painter: 1610612736 -> '1.6 GB'."""
    return f"{size / 1e9:.1f} GB"
