"""Selects the foreground segmenter: weights in the models folder first, the shipped segmenter for everything else.

A new kind of weights is one line of ``SEGMENTERS``.
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
from backend.weights.detection import DetectedModel, scan_models
from shared.errors import LinewashError
from shared.protocol import MAX_REFERENCES

CACHED_MASKS = 2 * MAX_REFERENCES
"""How many masks a segmenter keeps, each for one image."""
Purpose = Literal["drawings", "references"]
"""What weights were trained to segment: line drawings or color images."""
Segmenter = Callable[[np.ndarray], Gray]
"""(H, W) ink or (h, w, 3) image, depending on the purpose, to its foreground mask, 255 = foreground."""


@dataclass(frozen=True)
class SegmenterKind:
    """One kind of weights."""

    purpose: Purpose
    """What its segmenters are for."""
    load: Callable[[Path, str], Segmenter]
    """The segmenter of a file, on a device as torch names it.  Raises LinewashError."""


SEGMENTERS: Mapping[str, SegmenterKind] = {
    "isnet-sketches": SegmenterKind("drawings", lambda path, device: SketchSegmenter(load_isnet(path, device))),
    "isnet-characters": SegmenterKind("references", lambda path, device: CharacterSegmenter(load_isnet(path, device))),
    "isnet-things": SegmenterKind("references", lambda path, device: ObjectSegmenter(load_isnet(path, device))),
    "birefnet": SegmenterKind("references", load_segmenter),
}


@dataclass(frozen=True)
class _LoadedSegmenter:
    """What became of a file."""

    stamp: Stamp
    """Of the file when it was loaded."""
    segmenter: Segmenter | None
    problem: str = ""
    """A sentence that says why there is no segmenter."""


class SegmenterSelector:
    """A ``ForegroundSegmenter`` that uses the painter's weights where there are some, and ``shipped`` elsewhere.

    It scans the folder whenever a mask is wanted, so new weights work at once; each file is loaded once.  A file that cannot be
    used is passed over with a warning.
    """

    def __init__(self, shipped: ForegroundSegmenter, models_dir: Path, device: str = "cpu") -> None:
        self._shipped, self._folder, self._device = shipped, models_dir, device
        self._loaded: dict[Path, _LoadedSegmenter] = {}

    @property
    def mask_warnings(self) -> tuple[str, ...]:
        """The shipped segmenter's, and a sentence for each file that was passed over."""
        return (*self._shipped.mask_warnings, *(loaded.problem for loaded in self._loaded.values() if loaded.problem))

    def segment_drawing(self, ink: Gray) -> Gray:
        """See ``ForegroundSegmenter``."""
        segmenter = self._select("drawings")
        return segmenter(ink) if segmenter is not None else self._shipped.segment_drawing(ink)

    def segment_reference(self, rgb: Rgb) -> Gray:
        """See ``ForegroundSegmenter``."""
        segmenter = self._select("references")
        return segmenter(rgb) if segmenter is not None else self._shipped.segment_reference(rgb)

    def _select(self, purpose: Purpose) -> Segmenter | None:
        """The first usable one, by file name, of the segmenters for this purpose."""
        files = [detected for detected in scan_models(self._folder) if detected.kind in SEGMENTERS]
        self._unload_all_but(files)
        candidates = (self._load_current(detected) for detected in files if SEGMENTERS[detected.kind].purpose == purpose)
        return next((loaded.segmenter for loaded in candidates if loaded.segmenter is not None), None)

    def _load_current(self, detected: DetectedModel) -> _LoadedSegmenter:
        """What is loaded of a file, after loading it again if it has changed."""
        loaded, stamp = self._loaded.get(detected.path), file_stamp((detected.path,))
        if loaded is None or loaded.stamp != stamp:
            loaded = self._loaded[detected.path] = self._load(detected, stamp)
        return loaded

    def _load(self, detected: DetectedModel, stamp: Stamp) -> _LoadedSegmenter:
        if detected.problem:
            return _LoadedSegmenter(stamp, None, _warning(detected.path, detected.problem))
        try:
            return _LoadedSegmenter(stamp, _with_cache(SEGMENTERS[detected.kind].load(detected.path, self._device)))
        except LinewashError as error:
            return _LoadedSegmenter(stamp, None, _warning(detected.path, f"{error.message} {error.hint}"))

    def _unload_all_but(self, files: Iterable[DetectedModel]) -> None:
        paths = {detected.path for detected in files}
        self._loaded = {path: loaded for path, loaded in self._loaded.items() if path in paths}


def _with_cache(segmenter: Segmenter) -> Segmenter:
    """The segmenter, called once for each image: on a CPU a call takes seconds, and references stay while a drawing changes."""
    cached = ContentCache(lambda image: segmenter(image.numpy()), CACHED_MASKS)
    return lambda image: cached(torch.from_numpy(image.copy()))  # a copy: torch warns about arrays that are not writable


def _warning(path: Path, problem: str) -> str:
    return "%s was not used to find the foreground. %s" % (path.name, problem)
