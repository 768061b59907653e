"""Krita's colorize masks: a painter has said there, with key strokes, which part of the drawing takes which color.

Krita lets scripts read the key strokes since 5.2; older versions have such masks, too, but not the methods.
"""

from typing import Iterator, List, Optional, Protocol, SupportsBytes, Tuple, runtime_checkable

from ..libkis import ManagedColor, Node
from ..shared.errors import ErrorCode, LinewashError
from .color_space import SRGB
from .event_calls import EventCalls
from .pixel_data import Rect, merge_pixels, strips

COLORIZE_MASK = "colorizemask"
"""What Krita calls the type."""


@runtime_checkable
class KeyStrokeMask(Protocol):
    """A colorize mask whose key strokes can be read."""

    def keyStrokesColors(self) -> List[ManagedColor]:
        """A copy of the color of each key stroke."""
        ...

    def transparencyIndex(self) -> int:
        """Which of the colors stands for no color at all, -1 when none does."""
        ...

    def keyStrokePixelData(self, color: ManagedColor, x: int, y: int, w: int, h: int) -> SupportsBytes:
        """The strokes of one of the colors, one byte a pixel."""
        ...


def read_key_strokes(mask: KeyStrokeMask, area: Rect, event_calls: EventCalls) -> Iterator[bytes]:
    """The strips of ``area`` of the key strokes of a mask that nobody changes meanwhile, as BGRA in sRGB.

    Strokes of the transparent color are left out.  Where strokes lie over one another, the later color of the list is seen.
    """
    colors, transparent = mask.keyStrokesColors(), mask.transparencyIndex()
    converted = mask.keyStrokesColors()  # others: a stroke is found by its color as it is
    painted = [(color, _bgr_of(converted[index], event_calls)) for index, color in enumerate(colors) if index != transparent]
    x, y, width, height = area
    for top, rows in strips(width, height):
        strip = bytes(width * rows * 4)
        for color, bgr in painted:
            strength = bytes(mask.keyStrokePixelData(color, x, y + top, width, rows))
            if strength.count(0) < len(strength):
                strip = merge_pixels(strip, _paint(bgr, strength), strength)
        yield strip


def hide_colorize_masks(node: Node) -> bool:
    """Hide those of a copy that lies in no document, and in all of its layers; False when it has none that shows."""
    has_hidden = False
    for child in node.childNodes():
        if str(child.type()) == COLORIZE_MASK and child.visible():
            child.setVisible(False)
            has_hidden = True
        has_hidden |= hide_colorize_masks(child)
    return has_hidden


def find_visible_masks(layer: Optional[Node]) -> List[str]:
    """Names of the colorize masks of a layer that show; their colors lie over all that is below the layer."""
    children = layer.childNodes() if layer is not None else []
    return [str(child.name()) for child in children if str(child.type()) == COLORIZE_MASK and child.visible()]


def _bgr_of(color: ManagedColor, event_calls: EventCalls) -> Tuple[int, int, int]:
    if not event_calls.convert_color(color, SRGB):
        raise LinewashError(ErrorCode.INTERNAL, "Krita cannot convert the color of a key stroke")
    blue, green, red, _ = (round(255 * component) for component in color.components())
    return blue, green, red


def _paint(bgr: Tuple[int, int, int], strength: bytes) -> bytes:
    """One color, as opaque as ``strength`` says, one byte a pixel."""
    pixels = bytearray(bytes((*bgr, 0)) * len(strength))
    pixels[3::4] = strength
    return bytes(pixels)
