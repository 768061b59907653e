"""Companions: frozen encoders that a family needs beside its checkpoint."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from backend.weights.known_downloads import find_download
from shared.errors import ErrorCode, LinewashError

Companion = Literal["clip-vit-h-14"]
"""Each is named like its entry in the list of known downloads."""
Companions = Mapping[Companion, Path]
"""The files of the companions that are there."""
NO_COMPANIONS: Companions = {}


def companion_missing(companion: Companion) -> LinewashError:
    """The error that says which companion is not there and how to get it."""
    return LinewashError(ErrorCode.COMPANION_MISSING, _download_name(companion))


def _download_name(companion: Companion) -> str:
    download = find_download(companion)
    assert download is not None  # a test goes through all companions
    return download.name
