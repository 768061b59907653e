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

from backend.evaluation.animediffusion.faces import (
    CROSS,
    SAME,
    FaceMetrics,
    FaceOptions,
    colorize_by_baselines,
    colorize_faces,
    measure_faces,
)
from backend.evaluation.metrics.fid import Inception, InceptionWeightsError
from backend.evaluation.metrics.lpips import load_installed
from backend.evaluation.table import format_number
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
    out: Annotated[Path | None, typer.Option(file_okay=False, help="Folder for the images and metrics.json.")] = None,
    inception: Annotated[Path | None, typer.Option(exists=True, help="pytorch-fid's weights; else no FID.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many faces.")] = 100_000,
    side: Annotated[int, typer.Option(min=16, help="Side faces are painted at, a multiple of 8.")] = 256,
    steps: Annotated[int, typer.Option(min=1, max=999)] = 10,
    eta: Annotated[float, typer.Option(min=0, max=1, help="Fresh noise in the sampler.")] = 1.0,
    bend: Annotated[bool, typer.Option(help="Warp references, as published.")] = True,
    guidance: Annotated[
        float, typer.Option(min=1, help="Pushes results towards references, for weights trained with --withhold; 1: off.")
    ] = 1.0,
    compare: Annotated[bool, typer.Option("--baselines", help="Measure the references themselves as well.")] = False,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    device: Annotated[str, typer.Option(help="As torch names it.")] = "cpu",
    threads: Annotated[int, typer.Option(min=1)] = 1,
) -> None:
    """Color every face by itself and by another face; print PSNR, MS-SSIM, LPIPS, color error and FID."""
    torch.set_num_threads(threads)
    if side % 8:
        raise typer.BadParameter("sides are multiples of 8", param_hint="--side")
    options = FaceOptions(side, steps, eta, seed, bend, guidance)
    with cli_errors(DatasetError, InceptionWeightsError):
        features = Inception.load(inception) if inception else None
        unet, faces = load_unet(checkpoint, device), FacePairs(data)
        rows = [_measure_protocol(protocol, unet, faces, options, limit, features, out) for protocol in (SAME, CROSS)]
        if compare:
            rows += [row for protocol in (SAME, CROSS) for row in _measure_baselines(protocol, faces, options, limit, features)]
    Console().print(_metrics_table(rows))
    if out:
        (out / "metrics.json").write_text(json.dumps([_row_to_json(row) for row in rows], indent=1) + "\n", encoding="utf-8")


def _measure_protocol(
    protocol: str,
    unet: AnimeUNet,
    data: FacePairs,
    options: FaceOptions,
    limit: int,
    inception: Inception | None,
    out: Path | None,
) -> FaceMetrics:
    count = min(limit, len(data))
    results = colorize_faces(unet, data, protocol, options, count)
    pairs = list(track(results, protocol, total=count, console=Console(stderr=True)))
    if out:
        folder = out / protocol.split()[0]
        folder.mkdir(parents=True, exist_ok=True)
        for name, (result, _) in zip(data.names, pairs, strict=False):
            Image.fromarray(result).save(folder / f"{Path(name).stem}.png")
    return measure_faces(protocol, pairs, load_installed("alex"), inception)


def _measure_baselines(
    protocol: str, data: FacePairs, options: FaceOptions, limit: int, inception: Inception | None
) -> list[FaceMetrics]:
    results = colorize_by_baselines(data, protocol, options, min(limit, len(data)))
    perceptual = load_installed("alex")
    return [measure_faces(protocol, pairs, perceptual, inception, method) for method, pairs in results.items()]


def _row_to_json(row: FaceMetrics) -> dict[str, object]:
    """The fields of a row; metrics that are not finite become None, as JSON has no word for them."""
    return {name: None if isinstance(v, float) and not math.isfinite(v) else v for name, v in asdict(row).items()}


def _metrics_table(rows: list[FaceMetrics]) -> Table:
    table = Table(title=f"{rows[0].images} faces, means", title_justify="left")
    table.add_column("")
    table.add_column("")
    for _, title, _ in COLUMNS:
        table.add_column(title, justify="right")
    for row in rows:
        table.add_row(row.protocol, row.method, *(format_number(getattr(row, field), digits) for field, _, digits in COLUMNS))
    return table


if __name__ == "__main__":
    app()
