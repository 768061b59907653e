"""Digests of all images of the development set, which measures the models and is never trained on.

They are listed in ``holdout.json`` beside this file.  "sets" names the sources.  "files" holds two digests for each image:
the SHA-256 of its file, and the SHA-256 of "WIDTHxHEIGHT:" followed by its decoded RGB bytes.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class HeldOutData:
    """The development set."""

    sets: tuple[str, ...]
    """Names of its characters and episodes."""
    files: frozenset[str]
    """Digests of whole files, hexadecimal."""
    pixels: frozenset[str]
    """Digests of decoded images, hexadecimal."""


@cache
def held_out_data() -> HeldOutData:
    """The development set as ``holdout.json`` lists it; read once."""
    listed = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
    files, pixels = zip(*listed["files"].values(), strict=True)
    return HeldOutData(tuple(listed["sets"]), frozenset(files), frozenset(pixels))
