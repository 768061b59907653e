"""Real drawings that nobody has colored, in the colors of pictures that have nothing to do with them: to be looked at."""

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
"""How many of the pairs' own pictures are taken as references when none are named."""
_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


@dataclass(frozen=True)
class NamedImage:
    """A picture (h, w, 3) and what to call it."""

    name: str
    rgb: Rgb


def read_images(places: Sequence[Path]) -> list[NamedImage]:
    """The named files, and all pictures of the named folders."""
    files: list[Path] = []
    for place in places:
        files += sorted(p for p in place.iterdir() if p.suffix.lower() in _SUFFIXES) if place.is_dir() else [place]
    return [NamedImage(path.stem, read_rgb(path)) for path in files]


def choose_references(pairs: Sequence[Pair]) -> list[NamedImage]:
    """The true colors of REFERENCES pairs with a figure, of sets as far apart as possible; of any pairs when none has."""
    known = [pair for pair in pairs if pair.split] or list(pairs)
    firsts = list({pair.source: pair for pair in reversed(known)}.values())[::-1]
    wanted = firsts if len(firsts) >= DEFAULT_REFERENCE_COUNT else known
    chosen = np.unique(np.linspace(0, len(wanted) - 1, min(DEFAULT_REFERENCE_COUNT, len(wanted))).round().astype(int))
    return [NamedImage(f"{wanted[k].name} {wanted[k].source}".strip(), wanted[k].color) for k in chosen]


def multiply(colors: Rgb, lines: Rgb) -> Rgb:
    """The drawing (h, w, 3), colored lines and all, multiplied over the colors."""
    return (colors.astype(np.uint16) * lines // 255).astype(np.uint8)


def colorize_by_references(
    family: AnyColorModel,
    drawing: NamedImage,
    references: Sequence[NamedImage],
    finishes: Sequence[Finish],
    options: ColorizeOptions,
) -> ImageStrip:
    """The drawing, what was taken for its figure, and for each reference that picture and the results with lines over them."""
    strip = [report_image("drawing", drawing.rgb)]
    figure = None
    for reference in references:
        results: list[Rgb] = []
        for finish in finishes:
            result = colorize_drawing(family, drawing.rgb, reference.rgb, None, replace(options, finish=finish))
            figure = result.foreground
            results.append(multiply(result.image, drawing.rgb))
        strip.append(report_image(reference.name, reference.rgb))
        strip += [report_image(finish.value, result) for finish, result in zip(finishes, results, strict=True)]
    if figure is not None:
        strip.insert(1, report_image("figure, guessed", multiply(np.dstack([255 - figure // 3] * 3), drawing.rgb)))
    return ImageStrip(drawing.name, tuple(strip))
