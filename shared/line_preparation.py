"""How the line layer becomes ink."""

from enum import Enum


class LinePreparation(str, Enum):
    """How the line layer is read."""

    AS_DRAWN = "as_drawn"
    """Lines of any color on transparency or on paper."""
    WHITE_ON_BLACK = "white_on_black"
    """Brightness is ink, unchanged."""
    SCAN = "scan"
    """Lines are darker than what is around them, as on a page with shades and stains."""
    DODGE = "dodge"
    """Lines are extracted from a colored image: its drawn lines, and the edges where one color ends."""
    XDOG = "xdog"
    """Lines are extracted from a colored image, which is redrawn with a soft pen."""

    @property
    def produces_lines(self) -> bool:
        """Whether the ink differs from what the layer shows, so that the result needs a layer of lines as well."""
        return self is not LinePreparation.AS_DRAWN
