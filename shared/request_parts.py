"""The PNG parts that come with a request, beside its JSON part."""

from dataclasses import dataclass, fields
from typing import Callable, Dict, Generic, Optional, Tuple, TypeVar

from .protocol import ColorizeRequest, ForegroundSource

PART_LINES, PART_REFERENCE, PART_FOREGROUND, PART_HINTS = "lines", "reference", "foreground", "hints"
PART_SELECTION_MASK = "selection_mask"
PART_PREVIOUS_FOREGROUND, PART_PREVIOUS_BACKGROUND = "previous_foreground", "previous_background"
"""Names of the parts; references are numbered, see ``reference_part``."""

Content = TypeVar("Content")


def reference_part(number: int) -> str:
    """The name of the reference at ``number`` in ``ColorizeRequest.references``: ``reference0`` .. ``reference7``."""
    return PART_REFERENCE + str(number)


@dataclass(frozen=True)
class RequestParts(Generic[Content]):
    """The PNG of each part, as bytes or as a path.  All but the references have canvas size."""

    lines: Content
    """The line layer, RGBA."""
    references: Tuple[Content, ...]
    """Images of any size, in the order of ``ColorizeRequest.references``."""
    foreground: Optional[Content] = None
    """Gray, 255 = foreground; the union where there are several masks.  None when the backend alone finds it."""
    hints: Optional[Content] = None
    """RGBA; every stroke with alpha above 0 is a color for the region it lies in."""
    selection_mask: Optional[Content] = None
    """Gray, 255 = recolor here; soft edges are blended.  Needs both layers of the earlier result."""
    previous_foreground: Optional[Content] = None
    """RGBA, the foreground layer of the earlier result, as the painter has changed it."""
    previous_background: Optional[Content] = None
    """RGBA, the background layer of the earlier result, as the painter has changed it."""

    @staticmethod
    def collect(request: ColorizeRequest, content: Callable[[str], Content]) -> "RequestParts[Content]":
        """The parts that ``request`` needs; ``content`` returns one by its name."""
        recolor = request.selection_mask
        return RequestParts(
            lines=content(PART_LINES),
            references=tuple(content(reference_part(number)) for number in range(len(request.references))),
            foreground=None if request.foreground is ForegroundSource.AUTOMATIC else content(PART_FOREGROUND),
            hints=content(PART_HINTS) if request.hints else None,
            selection_mask=content(PART_SELECTION_MASK) if recolor else None,
            previous_foreground=content(PART_PREVIOUS_FOREGROUND) if recolor else None,
            previous_background=content(PART_PREVIOUS_BACKGROUND) if recolor else None,
        )

    def by_name(self) -> Dict[str, Content]:
        """Every part that is not None, by name, in the order in which they are sent."""
        parts: Dict[str, Content] = {PART_LINES: self.lines}
        parts.update((reference_part(number), content) for number, content in enumerate(self.references))
        for optional in fields(self)[2:]:
            content = getattr(self, optional.name)
            if content is not None:
                parts[optional.name] = content
        return parts


def part_names(request: ColorizeRequest) -> Tuple[str, ...]:
    """Names of the parts that ``request`` needs, in the order in which they are sent."""
    return tuple(RequestParts.collect(request, str).by_name())
