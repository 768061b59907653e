"""How the line layer is read: as a drawing of any kind, as what a scanner or another program made of one, or as a picture."""

from enum import Enum


class LinePreparation(str, Enum):
    """What turns the line layer into ink.

    AS_DRAWN: lines on transparency or paper, of any color.  WHITE_ON_BLACK: brightness is ink, exactly as it is.  SCAN: lines
    darker than what is around them, as on a page with shades and stains.  DODGE, XDOG: lines are looked for in a colored
    picture; the first takes its drawn lines and where one color ends, the second draws it anew with a soft pen.
    """

    AS_DRAWN = "as_drawn"
    WHITE_ON_BLACK = "white_on_black"
    SCAN = "scan"
    DODGE = "dodge"
    XDOG = "xdog"

    @property
    def produces_lines(self) -> bool:
        """Whether the ink is not what the layer shows, so that it has to come along with the colors."""
        return self is not LinePreparation.AS_DRAWN
