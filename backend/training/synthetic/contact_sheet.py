"""Contact sheets: training sets side by side, to be looked at before training."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from backend.imaging.types import Rgb
from backend.training.synthetic.types import DrawingSet


def contact_sheet(sets: Sequence[DrawingSet], columns: int = 2, cell: int = 200) -> Rgb:
    """Sets as rows of line, color, mask, reference and its mask, with `columns` sets side by side; `cell` pixels a tile."""
    rows = []
    for item in sets:
        tiles = [np.stack([t] * 3, 2) if t.ndim == 2 else t for t in (item.line, item.color, item.mask, item.ref, item.refmask)]
        row = np.hstack([cv2.resize(t, (cell, cell), interpolation=cv2.INTER_AREA) for t in tiles])
        rows.append(cv2.copyMakeBorder(row, 2, 2, 2, 8, cv2.BORDER_CONSTANT, value=(128, 128, 128)))
    while len(rows) % columns:
        rows.append(np.full_like(rows[0], 255))
    return np.vstack([np.hstack(rows[i : i + columns]) for i in range(0, len(rows), columns)])


def write_sheet(path: Path, sets: Sequence[DrawingSet], columns: int = 2, cell: int = 200) -> None:
    """Write the contact sheet as PNG."""
    cv2.imwrite(str(path), cv2.cvtColor(contact_sheet(sets, columns, cell), cv2.COLOR_RGB2BGR))
