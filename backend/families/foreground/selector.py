"""Who finds figures where the painter gave no mask: weights in the models folder, and what came with the program for the rest.

A new kind of weights is one line of ``FINDERS``.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from backend.contract.family import ForegroundSegmenter
from backend.families.foreground.birefnet import load_segmenter
from backend.families.foreground.isnet import CharacterSegmenter, ObjectSegmenter, SketchSegmenter, load_isnet
from backend.families.runtime.content_cache import ContentCache
from backend.families.runtime.file_stamp import Stamp, file_stamp
from backend.imaging.types import Gray, Rgb
from backend.weights.detection import DetectedModel, scan
from shared.errors import LinewashError
from shared.protocol import MAX_REFERENCES

CACHED_MASKS = 2 * MAX_REFERENCES
"""Pictures whose masks are remembered."""
Purpose = Literal["drawings", "references"]
Segmenter = Callable[[np.ndarray], Gray]
"""(H, W) ink or (h, w, 3) picture, as the purpose is, to its figure mask, 255 = figure."""


@dataclass(frozen=True)
class SegmenterKind:
    """One kind of weights.  load: the finder of a file, on a device as torch names it; raises LinewashError."""

    purpose: Purpose
    load: Callable[[Path, str], Segmenter]


SEGMENTERS: Mapping[str, SegmenterKind] = {
    "isnet-sketches": SegmenterKind("drawings", lambda path, device: SketchSegmenter(load_isnet(path, device), device)),
    "isnet-characters": SegmenterKind("references", lambda path, device: CharacterSegmenter(load_isnet(path, device), device)),
    "isnet-things": SegmenterKind("references", lambda path, device: ObjectSegmenter(load_isnet(path, device), device)),
    "birefnet": SegmenterKind("references", load_segmenter),
}


@dataclass(frozen=True)
class _LoadedSegmenter:
    """What became of a file: its finder, or the sentence that says why there is none."""

    stamp: Stamp
    finder: Segmenter | None
    problem: str = ""


class SegmenterSelector:
    """See ``backend.contract.family.ForegroundSegmenter``: the painter's weights where there are some, ``shipped``
    everywhere else.

    The folder is looked at whenever a mask is wanted, so weights work as soon as they are there; they are loaded once.  A file
    that cannot be used is passed over with a warning.
    """

    def __init__(self, shipped: ForegroundSegmenter, models_dir: Path, device: str = "cpu") -> None:
        self._shipped, self._folder, self._device = shipped, models_dir, device
        self._opened: dict[Path, _LoadedSegmenter] = {}

    @property
    def mask_warnings(self) -> tuple[str, ...]:
        """A sentence for each file that was passed over."""
        return (*self._shipped.mask_warnings, *(each.problem for each in self._opened.values() if each.problem))

    def guess_drawing_mask(self, ink: Gray) -> Gray:
        """See ``ForegroundSegmenter``."""
        finder = self._finder("drawings")
        return finder(ink) if finder is not None else self._shipped.guess_drawing_mask(ink)

    def guess_reference_mask(self, rgb: Rgb) -> Gray:
        """See ``ForegroundSegmenter``."""
        finder = self._finder("references")
        return finder(rgb) if finder is not None else self._shipped.guess_reference_mask(rgb)

    def _finder(self, purpose: Purpose) -> Segmenter | None:
        """The first, by name, of the files for this purpose that can be used."""
        files = [each for each in scan(self._folder) if each.kind in SEGMENTERS]
        self._forget_all_but(files)
        usable = (self._open(each) for each in files if SEGMENTERS[each.kind].purpose == purpose)
        return next((opened.finder for opened in usable if opened.finder is not None), None)

    def _open(self, found: DetectedModel) -> _LoadedSegmenter:
        known, now = self._opened.get(found.path), file_stamp((found.path,))
        if known is None or known.stamp != now:
            known = self._opened[found.path] = self._newly_opened(found, now)
        return known

    def _newly_opened(self, found: DetectedModel, now: Stamp) -> _LoadedSegmenter:
        if found.problem:
            return _LoadedSegmenter(now, None, _warning(found.path, found.problem))
        try:
            return _LoadedSegmenter(now, _remembering(SEGMENTERS[found.kind].load(found.path, self._device)))
        except LinewashError as error:
            return _LoadedSegmenter(now, None, _warning(found.path, f"{error.message} {error.hint}"))

    def _forget_all_but(self, files: Iterable[DetectedModel]) -> None:
        there = {each.path for each in files}
        self._opened = {path: opened for path, opened in self._opened.items() if path in there}


def _remembering(finder: Segmenter) -> Segmenter:
    """The finder, asked once for each picture: on a CPU it takes seconds, and references stay while a drawing changes."""
    kept = ContentCache(lambda picture: finder(picture.numpy()), CACHED_MASKS)
    return lambda picture: kept(torch.from_numpy(picture.copy()))  # torch wants to be able to write


def _warning(path: Path, problem: str) -> str:
    return "%s was not used to find figures. %s" % (path.name, problem)
