"""Write the demo's layers as one OpenRaster file; run by the environment's Python, as it needs Pillow.

``python -m installer.openraster FOLDER`` reads lines.png, foreground.png and background.png there, writes coloured.png (lines
multiplied over both) and linewash-demo.ora (https://www.openraster.org, baseline 0.0.6).
"""

import io
import sys
import zipfile
from pathlib import Path

from PIL import Image, ImageChops

_LAYER = '<layer name="{name}" src="data/{source}.png" x="0" y="0" opacity="1.0" visibility="visible" composite-op="{mode}"/>'
_LAYERS = (
    ("Lines", "lines", "svg:multiply"),
    ("Foreground", "foreground", "svg:src-over"),
    ("Background", "background", "svg:src-over"),
)


def merged(lines: Image.Image, foreground: Image.Image, background: Image.Image) -> Image.Image:
    """RGB picture of ``lines`` (opaque or transparent) multiplied over foreground over background, all of one size."""
    colour = Image.alpha_composite(background.convert("RGBA"), foreground.convert("RGBA")).convert("RGB")
    paper = Image.new("RGBA", lines.size, "white")
    return ImageChops.multiply(colour, Image.alpha_composite(paper, lines.convert("RGBA")).convert("RGB"))


def write(folder: Path) -> None:
    """Write coloured.png and linewash-demo.ora from the pictures in ``folder``; raises OSError when one is missing."""
    pictures = {source: Image.open(folder / f"{source}.png") for _, source, _ in _LAYERS}
    whole = merged(pictures["lines"], pictures["foreground"], pictures["background"])
    whole.save(folder / "coloured.png")
    thumbnail = whole.copy()
    thumbnail.thumbnail((256, 256))
    layers = "".join(_LAYER.format(name=name, source=source, mode=mode) for name, source, mode in _LAYERS)
    size = f'w="{whole.width}" h="{whole.height}"'
    stack = f'<?xml version="1.0" encoding="UTF-8"?>\n<image version="0.0.3" {size}><stack>{layers}</stack></image>\n'
    with zipfile.ZipFile(folder / "linewash-demo.ora", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "image/openraster", zipfile.ZIP_STORED)  # first and uncompressed, as the format asks
        archive.writestr("stack.xml", stack)
        for source in pictures:
            archive.write(folder / f"{source}.png", f"data/{source}.png", zipfile.ZIP_STORED)
        archive.writestr("mergedimage.png", _png(whole), zipfile.ZIP_STORED)
        archive.writestr("Thumbnails/thumbnail.png", _png(thumbnail), zipfile.ZIP_STORED)


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


if __name__ == "__main__":
    write(Path(sys.argv[1]))
