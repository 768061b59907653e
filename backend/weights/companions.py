"""Companions: frozen encoders that a family needs beside its checkpoint."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from backend.weights.known_downloads import find_download
from shared.errors import ErrorCode, LinewashError

Companion = Literal["clip-vit-h-14", "clip-vit-bigg-14", "wd-tagger"]
"""The name of a companion; its entry in ``known_downloads`` has the same name."""
Companions = Mapping[Companion, Path]
"""Companion -> its weights file, for the companions that are present."""
NO_COMPANIONS: Companions = {}


def companion_missing(companion: Companion) -> LinewashError:
    """The error for a missing companion; it says which one and how to get it."""
    return LinewashError(ErrorCode.COMPANION_MISSING, _download_name(companion))


def _download_name(companion: Companion) -> str:
    download = find_download(companion)
    assert download is not None  # a test goes through all companions
    return download.name
