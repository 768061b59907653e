"""A contact sheet: one row a drawing, one column a way to colour it."""

from collections.abc import Sequence

import cv2
import numpy as np

from backend.imaging.types import Gray, Rgb


def with_lines(colours: Rgb, line: Gray) -> Rgb:
    """The line picture (dark on white) multiplied over the colours, as a painter sees them."""
    return (colours.astype(np.uint16) * line[..., None] // 255).astype(np.uint8)


def contact_sheet(rows: Sequence[Sequence[Rgb]], titles: Sequence[str], side: int = 200) -> Rgb:
    """Pictures (h, w, 3) fitted into cells of ``side`` pixels, the columns' titles on top."""
    header = np.full((18, side * len(titles), 3), 255, np.uint8)
    for column, title in enumerate(titles):
        cv2.putText(header, title, (column * side + 4, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1, cv2.LINE_AA)
    return np.vstack([header, *(np.hstack([_cell(p, side) for p in row]) for row in rows)])


def _cell(picture: Rgb, side: int) -> Rgb:
    scale = (side - 2) / max(picture.shape[:2])
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    cell = np.full((side, side, 3), 230, np.uint8)
    cell[: size[1], : size[0]] = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return cell
