"""``python -m backend.evaluation.cli``: measure a model on drawings with known colours."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import torch
import typer

from backend.evaluation import baselines
from backend.evaluation.colouring import Settings, colour_pair
from backend.evaluation.metrics import score
from backend.evaluation.pairs import Pair, from_folder, from_shard, mirrored_and_warped
from backend.evaluation.sheet import contact_sheet, with_lines
from backend.families.base import Family
from backend.families.registry import load
from backend.imaging.types import Gray, Rgb
from shared.paths import default_home, models_dir
from shared.protocol import Finish

app = typer.Typer(no_args_is_help=True, help="Measure a model.")


@app.callback()
def _main() -> None:
    """Measure a model."""


def _reference_mask(family: Family, pair: Pair) -> Gray:
    return family.guess_reference_mask(pair.reference) if pair.reference_mask is None else pair.reference_mask


def ways(family: Family, guess: bool) -> dict[str, Callable[[Pair], Rgb]]:
    """Every way to colour a pair that is compared, by name."""
    return {
        "white": baselines.white,
        "mean colour": lambda p: baselines.mean_colour(p, _reference_mask(family, p)),
        "same position": baselines.same_position,
        "flats": lambda p: colour_pair(family, p, Settings(Finish.FLATS, guess=guess)),
        "painted": lambda p: colour_pair(family, p, Settings(Finish.PAINTED, guess=guess)),
    }


@app.command()
def measure(
    drawings: Annotated[Path, typer.Argument(help="Folder of NAME_line/_color/_ref/_mask.png, or a shard (.npz).")],
    warp: Annotated[bool, typer.Option(help="Mirror and bend the references, by a fixed seed.")] = False,
    guess: Annotated[bool, typer.Option(help="Let the model find the figure in the drawing.")] = False,
    skip: Annotated[int, typer.Option(help="Leave out the first so many.")] = 0,
    limit: Annotated[int, typer.Option(help="At most so many.")] = 1000,
    model: str = "mini",
    models: Annotated[Path | None, typer.Option(help="Folder of models; default: the user's.")] = None,
    sheet: Annotated[Path | None, typer.Option(help="Write a contact sheet here.")] = None,
) -> None:
    """Mean CIEDE2000 on the figure outside the lines, and the share of its pixels under 10, beside plain baselines."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    family = load(model, models or models_dir(default_home()))
    pairs = from_shard(drawings) if drawings.suffix == ".npz" else from_folder(drawings)
    columns = ways(family, guess)
    scores: dict[str, list[tuple[float, float]]] = {name: [] for name in columns}
    rows: list[list[Rgb]] = []
    for number, plain in enumerate(islice(pairs, skip, skip + limit)):
        pair = mirrored_and_warped(plain, number) if warp else plain
        results = {name: way(pair) for name, way in columns.items()}
        for name, result in results.items():
            found = score(result, pair.colour, pair.line, pair.mask)
            scores[name].append((found.mean, found.close))
        shown = [with_lines(results[name], pair.line) for name in ("flats", "painted")]
        rows.append([np.dstack([pair.line] * 3), pair.reference, *shown, pair.colour])
    for name, values in scores.items():
        mean, close = np.nanmean(np.array(values), axis=0)
        typer.echo(f"{name:14s} mean {mean:5.2f}  under 10: {close:.3f}  ({len(values)} drawings)")
    if sheet is not None:
        picture = contact_sheet(rows, ("lines", "reference", "flats", "painted", "truth"))
        cv2.imwrite(str(sheet), np.ascontiguousarray(picture[..., ::-1]))


if __name__ == "__main__":
    app()
