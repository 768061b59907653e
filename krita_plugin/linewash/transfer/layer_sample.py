"""Small images of layers as coloring reads them, made of some of their rows: even a huge layer never holds the window up."""

from typing import Dict, List, Tuple

from ..event_loop import pause
from ..images.thumbnails import THUMBNAIL_SIDE, on_white
from ..krita_api.application import KritaApp
from ..krita_api.color_space import SRGB, color_space_of
from ..krita_api.document import Document
from ..krita_api.pixel_data import Rect, overlap
from ..libkis import Node
from ..qt import QtCore, QtGui
from .layer_digest import ROWS, digest_layer, sampled_rows
from .pixel_reader import LayerCopy, compute_tiles, copy_layer

MOST_SAMPLES = 16
"""How many samples are kept."""
Size = Tuple[int, int]


class LayerSampler:
    """Samples layers.

    What Krita has to compute for it, a hidden layer with masks of its own, is kept until the layer changes: computing a whole
    layer takes a while, though in steps.  All methods handle events, see ``krita_api/event_calls.py``.
    """

    def __init__(self, app: KritaApp) -> None:
        self.app = app
        self._samples: "Dict[Tuple[str, Rect], QtGui.QImage]" = {}

    async def sample(self, copy: LayerCopy, canvas: Size, area: Rect) -> "QtGui.QImage":
        """Every so many rows of an area, neither side of it 0, of what a layer shows: ARGB, sRGB.

        INTERNAL when Krita cannot convert its colors.
        """
        if copy.is_computed:
            return await self._sample(copy, area)
        key = (await digest_layer(copy.node, copy.is_computed, canvas), area)
        if key not in self._samples:
            image = await self._sample(copy, area)
            if len(self._samples) >= MOST_SAMPLES:
                self._samples.clear()
            self._samples[key] = image
        return self._samples[key]

    async def thumbnail(self, document: Document, layer_id: str) -> "QtGui.QImage":
        """A layer as it shows within the canvas, on white; a null image when there is nothing.  As ``sample``."""
        copy = copy_layer(document, layer_id)
        if copy is None:
            return QtGui.QImage()
        bounds, canvas = copy.node.bounds(), document.size
        area = overlap((bounds.x(), bounds.y(), bounds.width(), bounds.height()), (0, 0, *canvas))
        if not (area[2] and area[3]):
            return QtGui.QImage()
        longest = max(area[2], area[3])
        size = [max(1, side * min(longest, THUMBNAIL_SIDE) // longest) for side in area[2:]]
        return on_white(scale_image(await self.sample(copy, canvas, area), (size[0], size[1])))

    async def _sample(self, copy: LayerCopy, area: Rect) -> "QtGui.QImage":
        x, y, width, height = area
        space, wanted = color_space_of(copy.node), sampled_rows(height)
        if space != SRGB or not copy.is_computed:
            await self.app.prepare_scratch()
        step = 1 if space == SRGB else max(1, width // ROWS)  # converting whole rows would stall the window
        rows: List[bytes] = []

        async def read(node: Node, left: int, top: int, first: int, count: int) -> None:
            """Of ``count`` rows of the area from ``first``, which lie at (left, top) in ``node``, those that are wanted."""
            for number in wanted:
                if first <= number < first + count:
                    row = bytes(node.projectionPixelData(left, top + number - first, width, 1))
                    rows.append(row if step == 1 else _every_pixel_of(row, width, step))
                    await pause()

        if copy.is_computed:
            await read(copy.node, x, y, 0, height)
        else:
            await compute_tiles(self.app, copy, area, lambda node, first, count: read(node, 0, 0, first, count))
        data, width = b"".join(rows), -(-width // step)
        if not data:  # a layer that holds nothing at all
            data = bytes(width * len(rows) * 4)
        elif space != SRGB:
            converter = self.app.create_converter()
            try:
                data = converter.convert(data, width, len(rows), space, SRGB)
            finally:
                converter.close()
            await pause()
        return QtGui.QImage(data, width, len(rows), width * 4, QtGui.QImage.Format.Format_ARGB32).copy()


def scale_image(image: "QtGui.QImage", size: Size) -> "QtGui.QImage":
    """An image at another size, whatever its proportions."""
    ignore, smooth = QtCore.Qt.AspectRatioMode.IgnoreAspectRatio, QtCore.Qt.TransformationMode.SmoothTransformation
    return image.scaled(*size, ignore, smooth).convertToFormat(image.format()).copy()


def _every_pixel_of(row: bytes, width: int, step: int) -> bytes:
    """Every so many pixels of a row."""
    pixel_bytes = len(row) // width
    return b"".join(row[left * pixel_bytes : (left + 1) * pixel_bytes] for left in range(0, width, step))
