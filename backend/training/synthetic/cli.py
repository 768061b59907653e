"""`drawings render`, `drawings faces`, `drawings digests` and `drawings sheet`."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from backend.training.synthetic.contact_sheet import write_sheet
from backend.training.synthetic.digests import record_sources, source_digests
from backend.training.synthetic.faces import write_faces
from backend.training.synthetic.mixture import ArtFolders
from backend.training.synthetic.shards import SETS_PER_SHARD, read_shard, render_training, render_validation

app = typer.Typer(help="Draw training sets: lines, color, mask, reference.", no_args_is_help=True)


@app.command()
def render(
    out: Annotated[Path, typer.Option(help="Folder for the shards.")],
    sets: Annotated[int, typer.Option(min=1, help="How many training sets.")] = 9000,
    size: Annotated[int, typer.Option(min=64, max=2048, help="Side in pixels.")] = 256,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    models3d: Annotated[
        Path | None, typer.Option(help="Folder of rigged .glb characters.", exists=True, file_okay=False)
    ] = None,
    panels: Annotated[Path | None, typer.Option(help="Folder of comic panels.", exists=True, file_okay=False)] = None,
    seed: Annotated[int, typer.Option(min=0, max=9999, help="Same seed, same sets.")] = 0,
    per_shard: Annotated[int, typer.Option(min=1, help="Sets in one shard.")] = SETS_PER_SHARD,
    held_out: Annotated[bool, typer.Option(help="Write the validation sets as well.")] = True,
) -> None:
    """Write shards of training sets, and the validation sets; shards that already exist are kept."""
    folders = ArtFolders(models3d, panels)
    record_sources(out, folders)
    if held_out:
        for path in render_validation(out, folders, size):
            typer.echo(path.name)
    render_training(out, folders, sets, size, seed, workers, per_shard)


@app.command()
def faces(
    out: Annotated[Path, typer.Argument(help="Folder for reference/ and condition/.")],
    count: Annotated[int, typer.Option(min=1, help="How many faces.")] = 1000,
    size: Annotated[int, typer.Option(min=64, max=1024, help="Side in pixels.")] = 256,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same faces.")] = 0,
    models3d: Annotated[
        Path | None,
        typer.Option(help="Folder of rigged .glb characters, for half of the faces.", exists=True, file_okay=False),
    ] = None,
    held_out: Annotated[bool, typer.Option("--held-out", help="The style and the 3D character held out of training.")] = False,
) -> None:
    """Draw faces and their lines for AnimeDiffusion, in the layout of its benchmark; existing faces are kept."""
    try:
        typer.echo(f"{write_faces(out, count, size, seed, models3d, held_out)} faces drawn")
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


@app.command()
def digests(
    models3d: Annotated[
        Path | None, typer.Option(help="Folder of rigged .glb characters.", exists=True, file_okay=False)
    ] = None,
    panels: Annotated[Path | None, typer.Option(help="Folder of comic panels.", exists=True, file_okay=False)] = None,
) -> None:
    """Print the digests of the foreign art, as ATTRIBUTION.md lists them."""
    for name, digest in source_digests(ArtFolders(models3d, panels)).items():
        typer.echo(f"{digest}  {name}")


@app.command()
def sheet(
    shard: Annotated[Path, typer.Argument(help="A shard.", exists=True, dir_okay=False)],
    image: Annotated[Path, typer.Argument(help="PNG to write.")],
    count: Annotated[int, typer.Option(min=1, help="How many sets, drawn at random.")] = 36,
    columns: Annotated[int, typer.Option(min=1)] = 3,
    cell: Annotated[int, typer.Option(min=32, help="Side of one image.")] = 160,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Show sets of a shard side by side."""
    items = read_shard(shard)
    chosen = np.random.default_rng(seed).choice(len(items), min(count, len(items)), replace=False)
    write_sheet(image, [items[int(i)] for i in chosen], columns, cell)


if __name__ == "__main__":
    app()
