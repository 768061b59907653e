"""Documents: made for a scenario, and looked at pixel by pixel."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from krita import Krita

from .qt import QImage, QRect

SRGB = "sRGB-elle-V2-srgbtrc.icc"
SPACES = {
    "U8": ("RGBA", "U8", ""),
    "U16": ("RGBA", "U16", ""),
    "F32": ("RGBA", "F32", ""),
    "CMYK": ("CMYKA", "U8", ""),
    "GRAY": ("GRAYA", "U8", ""),
}
"""Short name -> color model, depth and profile ('' = Krita's default, which is linear for U16 and F32)."""
Rect = tuple[int, int, int, int]


def load(path: str) -> QImage:
    """An image file as straight ARGB32; its bytes are Krita's B, G, R, A."""
    image = QImage(path)
    if image.isNull():
        raise ValueError("cannot read %s" % path)
    return image.convertToFormat(QImage.Format.Format_ARGB32)


def load_bytes(data: bytes) -> QImage:
    """An image in memory as straight ARGB32."""
    return QImage.fromData(data).convertToFormat(QImage.Format.Format_ARGB32)


def raw(image: QImage) -> bytes:
    """The bytes of an ARGB32 image."""
    bits = image.constBits()
    bits.setsize(image.sizeInBytes())
    return bytes(bits)


def paint(document: Any, name: str, path: str, at: tuple[int, int] = (0, 0)) -> Any:
    """A detached paint layer in the document's color space with the image file on it."""
    image = load(path)
    node = document.createNode(name, "paintlayer")
    node.setColorSpace("RGBA", "U8", SRGB)
    node.setPixelData(raw(image), at[0], at[1], image.width(), image.height())
    if (document.colorModel(), document.colorDepth()) != ("RGBA", "U8"):
        node.setColorSpace(document.colorModel(), document.colorDepth(), document.colorProfile())
    return node


def new(size: tuple[int, int], space: str = "U8", name: str = "drawing") -> Any:
    """A document on screen with one opaque white layer ``Background``; the active one."""
    model, depth, profile = SPACES[space]
    document = Krita.instance().createDocument(size[0], size[1], name, model, depth, profile, 300.0)
    Krita.instance().activeWindow().addView(document)
    document.setBatchmode(True)
    return document


def drawing(size: tuple[int, int], lines: str, reference: str | None, space: str = "U8") -> Iterator[float]:
    """A painter's usual document: white paper, a hidden reference layer, transparent lines on top.

    Yields pauses, returns the document.
    """
    document = new(size, space)
    root = document.rootNode()
    yield 0.3
    if reference:
        hidden = paint(document, "Reference", reference)
        hidden.setVisible(False)
        root.addChildNode(hidden, None)
    root.addChildNode(paint(document, "Lines", lines), None)
    document.refreshProjection()
    yield 0.3
    document.setActiveNode(find(document, "Lines"))
    yield 0.2
    return document


def nodes(parent: Any) -> list[Any]:
    """All nodes below ``parent``, bottom to top, parents before their children."""
    found: list[Any] = []
    for node in parent.childNodes():
        found.append(node)
        found.extend(nodes(node))
    return found


def find(document: Any, name: str) -> Any:
    """The first node of that name; raises KeyError."""
    for node in nodes(document.rootNode()):
        if node.name() == name:
            return node
    raise KeyError("%r is not among %s" % (name, [node.name() for node in nodes(document.rootNode())]))


def results(document: Any) -> list[Any]:
    """The groups Linewash has put into a document, bottom to top."""
    return [n for n in nodes(document.rootNode()) if n.type() == "grouplayer" and n.name().startswith("Linewash")]


def canvas(document: Any) -> Rect:
    """The canvas: x, y, width, height."""
    return (0, 0, document.width(), document.height())


def describe_node(node: Any, rect: Rect) -> dict[str, Any]:
    """What one node is, with the SHA-256 of its own pixels, in its own color space, over canvas and bounds together."""
    bounds = node.bounds()
    x, y, w, h = QRect(*rect).united(bounds).getRect()
    content = bytes(node.pixelData(x, y, w, h)) if node.type() != "vectorlayer" else node.toSvg().encode()
    return {
        "name": node.name(),
        "type": node.type(),
        "id": node.uniqueId().toString(),
        "visible": node.visible(),
        "opacity": node.opacity(),
        "blending": node.blendingMode(),
        "locked": node.locked(),
        "space": [node.colorModel(), node.colorDepth(), node.colorProfile()],
        "place": [node.position().x(), node.position().y()],
        "bounds": list(bounds.getRect()),
        "sha256": hashlib.sha256(content).hexdigest(),
        "key_strokes": describe_key_strokes(node, (x, y, w, h)),
        "children": [describe_node(child, rect) for child in node.childNodes()],
    }


def describe_key_strokes(mask: Any, rect: Rect) -> list[Any]:
    """What a colorize mask is, where Krita tells: how it shows, and each of its colors with the SHA-256 of its strokes."""
    if not hasattr(mask, "keyStrokesColors"):
        return []
    colored = hashlib.sha256(bytes(mask.projectionPixelData(*rect))).hexdigest()
    strokes = [
        [color.toXML(), hashlib.sha256(bytes(mask.keyStrokePixelData(color, *rect))).hexdigest()]
        for color in mask.keyStrokesColors()
    ]
    return [mask.transparencyIndex(), mask.showOutput(), mask.editKeyStrokes(), colored, *strokes]


def snapshot(document: Any) -> dict[str, Any]:
    """Everything a painter could miss in a document: size, color space, selection, the merged image and every layer."""
    selection = document.selection()
    chosen = ""
    if selection is not None:
        x, y, w, h = selection.x(), selection.y(), selection.width(), selection.height()
        chosen = "%d %d %d %d %s" % (x, y, w, h, hashlib.sha256(bytes(selection.pixelData(x, y, w, h))).hexdigest())
    merged = bytes(document.pixelData(*canvas(document)))
    return {
        "size": [document.width(), document.height()],
        "space": [document.colorModel(), document.colorDepth(), document.colorProfile()],
        "selection": chosen,
        "merged": hashlib.sha256(merged).hexdigest(),
        "layers": [describe_node(node, canvas(document)) for node in document.topLevelNodes()],
    }


def keep_layer(node: Any, document: Any, path: str) -> None:
    """The node's pixels over the canvas, in sRGB 8 bit, as raw B, G, R, A bytes in a file."""
    copy = node.duplicate()
    if (copy.colorModel(), copy.colorDepth(), copy.colorProfile()) != ("RGBA", "U8", SRGB):
        copy.setColorSpace("RGBA", "U8", SRGB)
    Path(path).write_bytes(bytes(copy.pixelData(*canvas(document))))


def keep_view(document: Any, path: str) -> None:
    """What the painter sees, in sRGB 8 bit, as raw B, G, R, A bytes in a file."""
    Path(path).write_bytes(raw(document.projection(*canvas(document)).convertToFormat(QImage.Format.Format_ARGB32)))


def undo_text() -> str:
    """What the next undo would take back, '' when there is nothing."""
    text = Krita.instance().action("edit_undo").text().replace("&", "").strip()
    return text[len("Undo") :].strip()
