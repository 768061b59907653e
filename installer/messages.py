"""What the installer says, and the one exception that ends it."""

import sys


class InstallError(Exception):
    """Something the painter has to mend; the text is one or two whole sentences saying what and how."""


def info(text: str) -> None:
    """Print one line at once, also when the output goes to a pipe."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def format_gigabytes(size: int) -> str:
    """Bytes as the painter reads them: 1610612736 -> '1.6 GB'."""
    return f"{size / 1e9:.1f} GB"
