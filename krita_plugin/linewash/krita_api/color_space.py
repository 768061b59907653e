"""Color spaces by Krita's names."""

from typing import Tuple, Union

from ..libkis import KritaDocument, Node

ColorSpace = Tuple[str, str, str]
"""Color model, depth and profile by Krita's names."""

SRGB: ColorSpace = ("RGBA", "U8", "sRGB-elle-V2-srgbtrc.icc")
"""8-bit sRGB; Krita keeps its bytes as blue, green, red, alpha, straight alpha: QImage's Format_ARGB32."""


def color_space_of(owner: Union[Node, KritaDocument]) -> ColorSpace:
    """The color space of a layer or document."""
    return (str(owner.colorModel()), str(owner.colorDepth()), str(owner.colorProfile()))
