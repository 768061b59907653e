"""A contact sheet: rows of images under the titles of their columns."""

from collections.abc import Sequence

import cv2
import numpy as np

from backend.imaging.types import Rgb

CELL, MARGIN = 160, 4
"""Side of an image and space between two, in pixels."""
TITLE_HEIGHT = 20


def draw_contact_sheet(titles: Sequence[str], rows: Sequence[Sequence[Rgb]]) -> Rgb:
    """Images of any size, each resized to CELL x CELL, with one title above each column."""
    step = CELL + MARGIN
    sheet = np.full((len(rows) * step + TITLE_HEIGHT, len(titles) * step, 3), 128, np.uint8)
    for column, title in enumerate(titles):
        cv2.putText(sheet, title, (column * step + 4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 255), 1, cv2.LINE_AA)
        for line, row in enumerate(rows):
            top, left = TITLE_HEIGHT + line * step, column * step
            cell = cv2.resize(np.ascontiguousarray(row[column]), (CELL, CELL), interpolation=cv2.INTER_AREA)
            sheet[top : top + CELL, left : left + CELL] = cell
    return sheet
