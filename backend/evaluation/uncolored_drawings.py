"""Colors real drawings without a truth by references that have nothing to do with them, to be looked at."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from backend.contract.family import AnyColorModel
from backend.evaluation.colorize_pair import ColorizeOptions, colorize_drawing
from backend.evaluation.pairs import Pair, read_rgb
from backend.evaluation.report import ImageStrip, report_image
from backend.imaging.types import Rgb
from shared.protocol import Finish

DEFAULT_REFERENCE_COUNT = 3
"""How many images of the pairs become references when none are named."""
_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


@dataclass(frozen=True)
class NamedImage:
    """An image (h, w, 3) with a name."""

    name: str
    """As captions show it."""
    rgb: Rgb
    """(h, w, 3) uint8."""


def read_images(places: Sequence[Path]) -> list[NamedImage]:
    """The images of these files, and all images of these folders."""
    files: list[Path] = []
    for place in places:
        files += sorted(p for p in place.iterdir() if p.suffix.lower() in _SUFFIXES) if place.is_dir() else [place]
    return [NamedImage(path.stem, read_rgb(path)) for path in files]


def choose_references(pairs: Sequence[Pair]) -> list[NamedImage]:
    """The true colors of DEFAULT_REFERENCE_COUNT pairs with a foreground (of any pairs, when none has one).

    They are spread over the list, and of different sets when there are enough.
    """
    with_foreground = [pair for pair in pairs if pair.split] or list(pairs)
    first_of_sets = list({pair.source: pair for pair in reversed(with_foreground)}.values())[::-1]
    candidates = first_of_sets if len(first_of_sets) >= DEFAULT_REFERENCE_COUNT else with_foreground
    count = min(DEFAULT_REFERENCE_COUNT, len(candidates))
    chosen = [candidates[k] for k in np.unique(np.linspace(0, len(candidates) - 1, count).round().astype(int))]
    return [NamedImage(f"{pair.name} {pair.source}".strip(), pair.color) for pair in chosen]


def multiply(colors: Rgb, lines: Rgb) -> Rgb:
    """The drawing (h, w, 3) multiplied over the colors (h, w, 3); its lines may have a color, too."""
    return (colors.astype(np.uint16) * lines // 255).astype(np.uint8)


def colorize_by_references(
    family: AnyColorModel,
    drawing: NamedImage,
    references: Sequence[NamedImage],
    finishes: Sequence[Finish],
    options: ColorizeOptions,
) -> ImageStrip:
    """Images of the drawing, its guessed foreground, and for each reference the reference and the results with lines."""
    strip = [report_image("drawing", drawing.rgb)]
    foreground = None
    for reference in references:
        results: list[Rgb] = []
        for finish in finishes:
            result = colorize_drawing(family, drawing.rgb, reference.rgb, None, replace(options, finish=finish))
            foreground = result.foreground
            results.append(multiply(result.image, drawing.rgb))
        strip.append(report_image(reference.name, reference.rgb))
        strip += [report_image(finish.value, result) for finish, result in zip(finishes, results, strict=True)]
    if foreground is not None:
        strip.insert(1, report_image("foreground, guessed", multiply(np.dstack([255 - foreground // 3] * 3), drawing.rgb)))
    return ImageStrip(drawing.name, tuple(strip))
