"""Contact sheets of validation pictures: what a network in training makes of drawings it never learns from."""

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from backend.families.runtime.network_loader import to_device
from backend.imaging.color import to_bytes
from backend.imaging.types import Gray, Rgb
from backend.networks.mini.field_denoiser import LATENT_SCALE
from backend.training.engine.trainer import Sheet
from backend.training.mini.flats_example import flats_item
from backend.training.mini.flats_task import stack_sets
from backend.training.mini.foreground_task import ForegroundTask
from backend.training.mini.painted_task import PaintedTask
from backend.training.mini.preprocess import NONE
from backend.training.mini.shard_dataset import Store

Row = dict[str, np.ndarray]
LEVELS = (1.0, 0.7, 0.47, 0.23)
"""Noise levels of the four steps the painted finish is shown with."""
CELL, MARGIN = 160, 4


def validation_rows(cache: Path, count: int) -> list[Row]:
    """``count`` sets of the validation shards (``val_*``) of a cache, spread evenly over them; none when there are none."""
    shards = [path.parent for path in sorted(cache.glob("val_*/done"))]
    arrays = [{f.stem: np.load(f, mmap_mode="r", allow_pickle=False) for f in shard.glob("*.npy")} for shard in shards]
    rows: list[Row] = []
    for number in range(count if arrays else 0):
        shard = arrays[number % len(arrays)]
        place = (number // len(arrays)) * len(shard["source"]) * len(arrays) // count
        rows.append({key: values[place] for key, values in shard.items() if key != "source"})
    return rows


class InTurn:
    """Sets one after the other, in the place of a ``Store``."""

    def __init__(self, rows: list[Row]) -> None:
        self._rows = cycle(rows)

    def draw(self, rng: np.random.Generator) -> Row:
        """The next one, whatever ``rng`` says."""
        return next(self._rows)


def sheet_of(part: str, cache: Path, count: int = 8) -> Sheet | None:
    """What draws the sheet of a part, None when the cache has no validation shards."""
    rows = validation_rows(cache, count)
    draw = {"flats": flats_sheet, "painted": painted_sheet, "foreground": foreground_sheet}[part]
    return (lambda network: draw(network, rows)) if rows else None


def flats_sheet(network: nn.Module, rows: list[Row]) -> Rgb:
    """Lines, reference, the likeliest colors and the true flats; one set a row."""
    batch = _there(network, stack_sets([flats_item(row, None) for row in rows]))
    chosen = network(batch.drawing, batch.reference, batch.palette, batch.allowed).log_prob.argmax(-1).cpu().numpy()
    pictures: list[list[Rgb]] = []
    for row, index in zip(rows, chosen, strict=True):
        count = int(row["count"])
        answer, truth = (_flat(row["labels"], colors) for colors in (row["palette"][index[:count]], row["colors"][:count]))
        pictures.append([_paper(row["ink"]), row["refsmall"], _under(row["ink"], answer), _under(row["ink"], truth)])
    return contact_sheet(("lines", "reference", "flats", "truth"), pictures)


def painted_sheet(network: Any, rows: list[Row]) -> Rgb:
    """Lines, reference, the flats to paint on, the painted picture and the truth; one set a row."""
    task = PaintedTask(cast(Store, InTurn(rows)), len(rows), withheld=0, unmasked=0)
    batch = _there(network, task.batch(np.random.default_rng(0)))
    condition = network.condition(batch.shown, batch.anchor, batch.drop)
    latent = batch.noise
    for level, following in zip(LEVELS, (*LEVELS[1:], 0.0), strict=True):
        clean = network(latent, torch.full_like(batch.sigma, level), condition).float()
        latent = latent + (latent - clean) / level * (following - level)
    anchor = batch.anchor
    pictures = [batch.shown.reference, anchor, anchor + LATENT_SCALE * latent, anchor + LATENT_SCALE * batch.clean]
    columns = [[_paper(_gray(ink)) for ink in batch.shown.ink], *([_rgb(one) for one in picture] for picture in pictures)]
    return contact_sheet(("lines", "reference", "flats", "painted", "truth"), list(zip(*columns, strict=True)))


def foreground_sheet(network: Any, rows: list[Row]) -> Rgb:
    """The picture (drawings and references in turn), the figure it finds in it and the true one; one picture a row."""
    task = ForegroundTask(cast(Store, InTurn(rows)), len(rows))
    batch = _there(network, task.batch(np.random.default_rng(0)))
    share = network(batch.lines, batch.rgb, batch.colored).float().sigmoid()
    pictures = [
        [_rgb(rgb) if bool(colored) else _paper(_gray(ink)), _gray3(guess), _gray3(truth)]
        for ink, rgb, colored, guess, truth in zip(batch.lines, batch.rgb, batch.colored, share, batch.mask, strict=True)
    ]
    return contact_sheet(("picture", "figure", "truth"), pictures)


def contact_sheet(titles: Sequence[str], rows: Sequence[Sequence[Rgb]]) -> Rgb:
    """Pictures of any size in cells of CELL px, titles above."""
    step = CELL + MARGIN
    sheet = np.full((len(rows) * step + 20, len(titles) * step, 3), 128, np.uint8)
    for column, title in enumerate(titles):
        cv2.putText(sheet, title, (column * step + 4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 255), 1, cv2.LINE_AA)
        for line, row in enumerate(rows):
            top, left = 20 + line * step, column * step
            cell = cv2.resize(np.ascontiguousarray(row[column]), (CELL, CELL), interpolation=cv2.INTER_AREA)
            sheet[top : top + CELL, left : left + CELL] = cell
    return sheet


def _there(network: nn.Module, batch: Any) -> Any:
    return to_device(batch, next(network.parameters()).device)


def _flat(labels: np.ndarray, colors: Rgb) -> Rgb:
    """Region colors drawn at the size of the labels; white where there is no region."""
    every = np.concatenate([colors, np.full((1, 3), 255, np.uint8)])
    return every[np.where(labels == NONE, len(colors), np.minimum(labels, len(colors)))]


def _paper(ink: Gray) -> Rgb:
    return np.dstack([255 - ink] * 3)


def _under(ink: Gray, color: Rgb) -> Rgb:
    return (color.astype(np.uint16) * (255 - ink[..., None].astype(np.uint16)) // 255).astype(np.uint8)


def _gray(picture: Tensor) -> Gray:
    """(1, h, w) 0..1."""
    return to_bytes(picture[0].float().clamp(0, 1).cpu().numpy())


def _gray3(picture: Tensor) -> Rgb:
    return np.dstack([_gray(picture)] * 3)


def _rgb(picture: Tensor) -> Rgb:
    """(3, h, w) 0..1."""
    return to_bytes(picture.float().clamp(0, 1).permute(1, 2, 0).cpu().numpy())
