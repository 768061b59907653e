"""``linewash bleach``: what a model sees of a background reference whose foreground is whitened."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PIL import Image

from backend.cli.backend_process import connect_backend, report_errors
from backend.cli.colorize import read_image, unite_mask_files
from backend.cli.openraster import png_bytes
from backend.imaging.bleaching import THRESHOLD, bleach
from backend.imaging.color import on_white
from shared.atomic_file import write_atomically
from shared.paths import default_home


def bleach_image(
    image: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The background reference.")],
    output: Annotated[Path, typer.Option("--output", "-o", dir_okay=False, help="The PNG to write.")],
    mask: Annotated[
        list[Path] | None,
        typer.Option(exists=True, dir_okay=False, help="White where its foreground is, found by default; repeat."),
    ] = None,
    threshold: Annotated[float, typer.Option(min=0.0, max=1.0, help="Mask value from which a pixel is whitened.")] = THRESHOLD,
    home: Annotated[Path | None, typer.Option(help="Folder of your Linewash data.")] = None,
) -> None:
    """Whiten the foreground of an image, as models do with a background reference (Background only)."""
    reference = read_image(image)
    if mask:
        bleached = bleach(on_white(np.asarray(reference)), unite_mask_files(mask, reference.size), threshold)
        content = png_bytes(Image.fromarray(bleached))
    else:
        with report_errors(), connect_backend(home or default_home()) as client:
            content = client.bleach(png_bytes(reference), threshold)
    write_atomically(output, content)
    typer.echo(str(output))
