"""OpenRaster files, which Krita, GIMP and MyPaint open with their layers.

Source: the OpenRaster specification 0.0.6, "File Layout" and "Layers Stack" (freedesktop.org).
"""

import io
import xml.etree.ElementTree as ElementTree
import zipfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageChops

THUMBNAIL_SIDE = 256
"""Longest side, pixels."""
MULTIPLY, OVER = "svg:multiply", "svg:src-over"
"""Names of blending modes."""


@dataclass(frozen=True)
class ColoredDrawing:
    """The layers of the file: RGBA images of one size."""

    lines: Image.Image
    """The highest layer."""
    foreground: Image.Image
    """It lies above the background."""
    background: Image.Image
    """The lowest layer."""
    multiply: bool
    """Whether the lines are on opaque paper, and so blend by multiplying."""
    group: str
    """Name of the group of foreground and background."""


def merge_layers(drawing: ColoredDrawing) -> Image.Image:
    """The image as it looks: lines over foreground over background, RGBA."""
    colors = Image.alpha_composite(drawing.background, drawing.foreground)
    if drawing.multiply:
        white = Image.new("RGBA", drawing.lines.size, (255, 255, 255, 255))
        return ImageChops.multiply(colors, Image.alpha_composite(white, drawing.lines))
    return Image.alpha_composite(colors, drawing.lines)


def write_openraster(path: Path, drawing: ColoredDrawing) -> None:
    """Write the lines on top, and under them a group with Foreground and Background."""
    layers = {"lines": drawing.lines, "foreground": drawing.foreground, "background": drawing.background}
    merged = merge_layers(drawing)
    thumbnail = merged.copy()
    thumbnail.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as file:  # PNGs are compressed already
        file.writestr("mimetype", "image/openraster")  # must be the first entry, uncompressed
        file.writestr("stack.xml", _stack(drawing))
        for name, image in layers.items():
            file.writestr("data/%s.png" % name, png_bytes(image))
        file.writestr("mergedimage.png", png_bytes(merged))
        file.writestr("Thumbnails/thumbnail.png", png_bytes(thumbnail))


def png_bytes(image: Image.Image) -> bytes:
    """PNG with fast compression."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _stack(drawing: ColoredDrawing) -> bytes:
    width, height = drawing.lines.size
    image = ElementTree.Element("image", {"version": "0.0.3", "w": str(width), "h": str(height)})
    root = ElementTree.SubElement(image, "stack")
    mode = MULTIPLY if drawing.multiply else OVER
    ElementTree.SubElement(root, "layer", _layer_attributes("Lines", mode) | {"src": "data/lines.png"})
    group = ElementTree.SubElement(root, "stack", _layer_attributes(drawing.group, OVER) | {"isolation": "isolate"})
    for name in ("Foreground", "Background"):
        ElementTree.SubElement(group, "layer", _layer_attributes(name, OVER) | {"src": "data/%s.png" % name.lower()})
    return ElementTree.tostring(image, encoding="UTF-8", xml_declaration=True)


def _layer_attributes(name: str, mode: str) -> dict[str, str]:
    return {"name": name, "x": "0", "y": "0", "opacity": "1.0", "visibility": "visible", "composite-op": mode}
