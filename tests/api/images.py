"""Small images for requests."""

import numpy as np

from backend.imaging import png
from shared.multipart import Part
from shared.protocol import ColorizeRequest, ForegroundSource, ReferenceRole
from shared.request_parts import PART_LINES, PART_REFERENCE, RequestParts

WIDTH, HEIGHT = 160, 128
RED = (200, 80, 40)


def lines(width: int = WIDTH, height: int = HEIGHT) -> bytes:
    """A box in black ink on transparency."""
    image = np.zeros((height, width, 4), np.uint8)
    left, right, top, bottom = width // 5, width * 3 // 5, height // 5, height * 4 // 5
    for rows, columns in (
        (slice(top, bottom), slice(left, left + 3)),
        (slice(top, bottom), slice(right, right + 3)),
        (slice(top, top + 3), slice(left, right)),
        (slice(bottom, bottom + 3), slice(left, right + 3)),
    ):
        image[rows, columns] = (0, 0, 0, 255)
    return png.encode(image)


def reference(color: tuple[int, int, int] = RED, side: int = 64) -> bytes:
    """One color all over."""
    return png.encode(np.full((side, side, 4), (*color, 255), np.uint8))


def mask(width: int = WIDTH, height: int = HEIGHT) -> bytes:
    """The left half is foreground."""
    image = np.zeros((height, width), np.uint8)
    image[:, : width // 2] = 255
    return png.encode(image)


def request(model: str = "fake", **changes: object) -> ColorizeRequest:
    """A request that fits ``lines`` and one reference."""
    values = {"width": WIDTH, "height": HEIGHT, "references": (ReferenceRole.BOTH,), "model": model, "steps": 4} | changes
    return ColorizeRequest(**values)


HINT = (10, 40, 220)


def hints(width: int = WIDTH, height: int = HEIGHT, color: tuple[int, int, int] = HINT) -> bytes:
    """A spot inside the box."""
    image = np.zeros((height, width, 4), np.uint8)
    image[height // 2 - 3 : height // 2 + 3, width // 3 - 3 : width // 3 + 3] = (*color, 255)
    return png.encode(image)


def layer(shade: int, width: int = WIDTH, height: int = HEIGHT) -> bytes:
    """An earlier layer, no two neighboring pixels alike."""
    y, x = np.mgrid[0:height, 0:width]
    return png.encode(np.dstack([x, y, np.full_like(x, shade), np.full_like(x, 255)]).astype(np.uint8))


def to_request_parts(named: dict[str, Part]) -> RequestParts[Part]:
    """The parts with these names."""
    others = {name: part for name, part in named.items() if name != PART_LINES and not name.startswith(PART_REFERENCE)}
    references = tuple(named[name] for name in sorted(named) if name.startswith(PART_REFERENCE))
    return RequestParts(named[PART_LINES], references, **others)


def parts(wanted: ColorizeRequest, color: tuple[int, int, int] = RED) -> dict[str, Part]:
    """The images a request needs."""
    named: dict[str, Part] = {"lines": lines(wanted.width, wanted.height)}
    for number in range(len(wanted.references)):
        named["reference%d" % number] = reference(color)
    if wanted.foreground is not ForegroundSource.AUTOMATIC:
        named["foreground"] = mask(wanted.width, wanted.height)
    if wanted.hints:
        named["hints"] = hints(wanted.width, wanted.height)
    if wanted.selection_mask:
        named["selection_mask"] = mask(wanted.width, wanted.height)
        named["previous_foreground"], named["previous_background"] = (
            layer(shade, wanted.width, wanted.height) for shade in (90, 180)
        )
    return named
