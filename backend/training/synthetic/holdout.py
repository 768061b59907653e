"""What measures the model: digests of all pictures of the development set, which no training may see.

``holdout.json`` beside this file: "sets", the names of their sources; "files", for each picture the SHA-256 of its file
and that of "WIDTHxHEIGHT:" followed by its decoded RGB bytes.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class HeldOutData:
    """sets: characters and episodes by name.  files, pixels: digests of whole files and of decoded pictures, hexadecimal."""

    sets: tuple[str, ...]
    files: frozenset[str]
    pixels: frozenset[str]


@cache
def held_out_data() -> HeldOutData:
    """The development set, as listed."""
    listed = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
    files, pixels = zip(*listed["files"].values(), strict=True)
    return HeldOutData(tuple(listed["sets"]), frozenset(files), frozenset(pixels))
