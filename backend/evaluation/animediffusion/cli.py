"""``linewash evaluate-faces`` or ``python -m backend.evaluation.animediffusion.cli``: measure AnimeDiffusion on face pairs."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import torch
import typer
from PIL import Image
from rich.console import Console
from rich.progress import track
from rich.table import Table

from backend.evaluation.animediffusion.faces import CROSS, SAME, Figures, Way, baselines, figures, paint
from backend.evaluation.fid import Inception, NoInception
from backend.evaluation.lpips import installed
from backend.evaluation.table import shown
from backend.families.animediffusion.loader import load_unet
from backend.networks.animediffusion import AnimeUNet
from backend.training.animediffusion.dataset import FacePairs
from backend.training.cli_errors import cli_errors
from backend.training.colorizediffusion.dataset import DatasetError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
COLUMNS = (("psnr", "PSNR", 2), ("ms_ssim", "MS-SSIM", 4), ("lpips", "LPIPS", 4), ("difference", "ΔE", 2), ("fid", "FID", 2))


@app.command()
def evaluate(
    checkpoint: Annotated[Path, typer.Argument(exists=True, help="AnimeDiffusion's weights, .safetensors.")],
    data: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="Test set: reference/ and condition/.")],
    out: Annotated[Path | None, typer.Option(file_okay=False, help="Folder for the pictures and figures.json.")] = None,
    inception: Annotated[Path | None, typer.Option(exists=True, help="pytorch-fid's weights; else no FID.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many faces.")] = 100_000,
    side: Annotated[int, typer.Option(min=16, help="Side faces are painted at, a multiple of 8.")] = 256,
    steps: Annotated[int, typer.Option(min=1, max=999)] = 10,
    eta: Annotated[float, typer.Option(min=0, max=1, help="Fresh noise in the sampler.")] = 1.0,
    bend: Annotated[bool, typer.Option(help="Bend references, as published.")] = True,
    guidance: Annotated[
        float, typer.Option(min=1, help="Pushes pictures towards references, for weights trained with --withhold; 1: off.")
    ] = 1.0,
    compare: Annotated[bool, typer.Option("--baselines", help="Measure the references themselves as well.")] = False,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    device: Annotated[str, typer.Option(help="As torch names it.")] = "cpu",
    threads: Annotated[int, typer.Option(min=1)] = 1,
) -> None:
    """Paint every face after itself and after another; print PSNR, MS-SSIM, LPIPS, color error and FID."""
    torch.set_num_threads(threads)
    if side % 8:
        raise typer.BadParameter("sides are multiples of 8", param_hint="--side")
    way = Way(side, steps, eta, seed, bend, guidance)
    with cli_errors(DatasetError, NoInception):
        features = Inception.load(inception) if inception else None
        unet, faces = load_unet(checkpoint, device), FacePairs(data)
        rows = [_row(protocol, unet, faces, way, limit, features, out) for protocol in (SAME, CROSS)]
        if compare:
            rows += [row for protocol in (SAME, CROSS) for row in _baselines(protocol, faces, way, limit, features)]
    Console().print(_table(rows))
    if out:
        (out / "figures.json").write_text(json.dumps([_plain(row) for row in rows], indent=1) + "\n", encoding="utf-8")


def _row(
    protocol: str, unet: AnimeUNet, data: FacePairs, way: Way, limit: int, inception: Inception | None, out: Path | None
) -> Figures:
    count = min(limit, len(data))
    found = paint(unet, data, protocol, way, count)
    pairs = list(track(found, protocol, total=count, console=Console(stderr=True)))
    if out:
        folder = out / protocol.split()[0]
        folder.mkdir(parents=True, exist_ok=True)
        for name, (picture, _) in zip(data.names, pairs, strict=False):
            Image.fromarray(picture).save(folder / f"{Path(name).stem}.png")
    return figures(protocol, pairs, installed("alex"), inception)


def _baselines(protocol: str, data: FacePairs, way: Way, limit: int, inception: Inception | None) -> list[Figures]:
    made = baselines(data, protocol, way, min(limit, len(data)))
    return [figures(protocol, pairs, installed("alex"), inception, by) for by, pairs in made.items()]


def _plain(row: Figures) -> dict[str, object]:
    """What JSON has words for: unknown figures are null."""
    return {name: None if isinstance(v, float) and not math.isfinite(v) else v for name, v in asdict(row).items()}


def _table(rows: list[Figures]) -> Table:
    table = Table(title=f"{rows[0].pictures} faces, means", title_justify="left")
    table.add_column("")
    table.add_column("")
    for _, title, _ in COLUMNS:
        table.add_column(title, justify="right")
    for row in rows:
        table.add_row(row.protocol, row.by, *(shown(getattr(row, field), digits) for field, _, digits in COLUMNS))
    return table


if __name__ == "__main__":
    app()
