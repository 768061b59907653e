"""The installer's output, and the exceptions that stop it."""

import sys


class InstallError(Exception):
    """A problem that the painter has to fix; the text says in one or two sentences what is wrong and what to do."""

    def __init__(self, sentence: str, hint: str = "") -> None:
        super().__init__(" ".join(filter(None, (sentence, hint))))
        self.sentence = sentence
        """What is wrong."""
        self.hint = hint
        """What to do about it; '' when ``sentence`` says it."""


class SetupPaused(BaseException):  # noqa: N818  like KeyboardInterrupt: no handler of ordinary errors may stop it
    """The installer was asked to pause; the next start goes on."""


def info(text: str) -> None:
    """Print one line and flush it, so that it also appears at once in a pipe."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def format_gigabytes(size: int) -> str:
    """Bytes as text for the painter: 1610612736 -> '1.6 GB', 61000000 -> '61 MB'."""
    return f"{size / 1e9:.1f} GB" if size >= 10**9 else format_megabytes(size)


def format_megabytes(size: float) -> str:
    """Bytes as text where they change quickly: 1610612736 -> '1611 MB'."""
    return f"{size / 1e6:.0f} MB"
