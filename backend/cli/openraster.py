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
MULTIPLY, OVER = "svg:multiply", "svg:src-over"


@dataclass(frozen=True)
class ColoredDrawing:
    """What goes into the file: pictures of one size, RGBA; ``multiply``: the lines are on paper and hide what is below."""

    lines: Image.Image
    foreground: Image.Image
    background: Image.Image
    multiply: bool
    group: str


def merged(drawing: ColoredDrawing) -> Image.Image:
    """The picture as it looks: lines over foreground over background, RGBA."""
    colors = Image.alpha_composite(drawing.background, drawing.foreground)
    if drawing.multiply:
        white = Image.new("RGBA", drawing.lines.size, (255, 255, 255, 255))
        return ImageChops.multiply(colors, Image.alpha_composite(white, drawing.lines))
    return Image.alpha_composite(colors, drawing.lines)


def write_openraster(path: Path, drawing: ColoredDrawing) -> None:
    """Write ``path``: the lines on top, under them a group with Foreground and Background."""
    layers = {"lines": drawing.lines, "foreground": drawing.foreground, "background": drawing.background}
    whole = merged(drawing)
    thumbnail = whole.copy()
    thumbnail.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as file:  # PNGs are compressed already
        file.writestr("mimetype", "image/openraster")  # must be the first entry, uncompressed
        file.writestr("stack.xml", _stack(drawing))
        for name, picture in layers.items():
            file.writestr("data/%s.png" % name, png_bytes(picture))
        file.writestr("mergedimage.png", png_bytes(whole))
        file.writestr("Thumbnails/thumbnail.png", png_bytes(thumbnail))


def png_bytes(picture: Image.Image) -> bytes:
    """PNG, compressed fast."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _stack(drawing: ColoredDrawing) -> bytes:
    width, height = drawing.lines.size
    image = ElementTree.Element("image", {"version": "0.0.3", "w": str(width), "h": str(height)})
    root = ElementTree.SubElement(image, "stack")
    mode = MULTIPLY if drawing.multiply else OVER
    ElementTree.SubElement(root, "layer", _about("Lines", mode) | {"src": "data/lines.png"})
    group = ElementTree.SubElement(root, "stack", _about(drawing.group, OVER) | {"isolation": "isolate"})
    for name in ("Foreground", "Background"):
        ElementTree.SubElement(group, "layer", _about(name, OVER) | {"src": "data/%s.png" % name.lower()})
    return ElementTree.tostring(image, encoding="UTF-8", xml_declaration=True)


def _about(name: str, mode: str) -> dict[str, str]:
    return {"name": name, "x": "0", "y": "0", "opacity": "1.0", "visibility": "visible", "composite-op": mode}
