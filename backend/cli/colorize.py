"""``linewash colorize``: colors one drawing through the backend and writes its layers and an OpenRaster file."""

import io
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PIL import Image, ImageOps
from rich.progress import Progress

from backend.cli.backend_process import connect_backend, report_errors
from backend.cli.model_parameters import set_parameters
from backend.cli.openraster import ColoredDrawing, png_bytes, write_openraster
from backend.imaging.ink import is_opaque_drawing
from backend.imaging.masks import is_empty_mask, unite_masks
from backend.imaging.types import Gray
from shared.client import Client
from shared.line_preparation import LinePreparation
from shared.model_spec import Value
from shared.multipart import Part
from shared.paths import default_home
from shared.protocol import (
    LAYER_BACKGROUND,
    LAYER_FOREGROUND,
    LAYER_LINES,
    ColorizeRequest,
    Finish,
    ForegroundSource,
    JobState,
    JobStatus,
    ReferenceRole,
)
from shared.request_parts import RequestParts
from shared.result_names import result_name

_DEFAULTS = ColorizeRequest(64, 64, ())
_INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it."""
ImageFile = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The line drawing.")]


def colorize(
    lines: ImageFile,
    reference: Annotated[
        list[Path],
        typer.Option("--reference", "-r", exists=True, dir_okay=False, help="An image with the colors; repeat for more."),
    ],
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder for the layers.")],
    background_reference: Annotated[
        list[Path] | None, typer.Option(exists=True, dir_okay=False, help="One with colors for the background alone.")
    ] = None,
    foreground: Annotated[
        list[Path] | None,
        typer.Option("--foreground", "--mask", exists=True, dir_okay=False, help="White where the foreground is; repeat."),
    ] = None,
    find_foreground: Annotated[
        bool, typer.Option("--find-foreground", help="Add to the masks what the model finds, as it does where there is none.")
    ] = False,
    hints: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Strokes of color on transparency: their regions take it.")
    ] = None,
    selection: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="White where to recolor; needs --previous.")
    ] = None,
    previous: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="The folder of the result to recolor a part of.")
    ] = None,
    lines_as: Annotated[
        LinePreparation,
        typer.Option(help="How to read LINES: drawn, in white on black, scanned with shades, or lines of a colored image."),
    ] = _DEFAULTS.preparation,
    model: Annotated[str, typer.Option(help="See linewash models.")] = _DEFAULTS.model,
    mode: Annotated[str, typer.Option(help="One of linewash models show MODEL; its first by default.")] = _DEFAULTS.mode,
    parameter: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A parameter of the model; repeat for more.")
    ] = None,
    finish: Annotated[Finish, typer.Option(help="Flat colors, or painted shading on them.")] = _DEFAULTS.finish,
    seed: Annotated[int, typer.Option(min=0)] = _DEFAULTS.seed,
    steps: Annotated[int | None, typer.Option(min=1, max=200, help="Denoising steps; the model's own by default.")] = None,
    guidance: Annotated[
        float | None, typer.Option(min=1.0, max=20.0, help="How closely to follow the reference; the model's own by default.")
    ] = None,
    gap: Annotated[
        float | None, typer.Option(min=0.0, max=0.1, help="Widest gap in a line to close, of the shorter side.")
    ] = None,
    merging: Annotated[
        float | None, typer.Option(min=0.0, max=8.0, help="Smallest part with a color of its own, times the default.")
    ] = None,
    home: Annotated[Path | None, typer.Option(help="Folder of your Linewash data.")] = None,
) -> None:
    """Color a line drawing and write foreground, background, composite and an .ora with all layers."""
    drawing = read_image(lines)
    backgrounds = background_reference or []
    parts = RequestParts[Part](
        lines=png_bytes(drawing),
        references=tuple(png_bytes(read_image(path)) for path in reference + backgrounds),
        foreground=png_bytes(Image.fromarray(unite_mask_files(foreground, drawing.size))) if foreground else None,
        hints=None if hints is None else png_bytes(read_image(hints)),
        selection_mask=None if selection is None else png_bytes(read_image(selection).convert("L")),
        previous_foreground=None if previous is None else png_bytes(read_image(previous / (LAYER_FOREGROUND + ".png"))),
        previous_background=None if previous is None else png_bytes(read_image(previous / (LAYER_BACKGROUND + ".png"))),
    )
    fields = {"steps": steps, "guidance": guidance, "gap": gap, "merging": merging}
    values: dict[str, Value] = {name: value for name, value in fields.items() if value is not None}
    with report_errors():
        # Through JSON, which checks every field as the backend will.
        request = ColorizeRequest.from_json(
            ColorizeRequest(
                *drawing.size,
                references=(ReferenceRole.BOTH,) * len(reference) + (ReferenceRole.BACKGROUND,) * len(backgrounds),
                foreground=_foreground_source(bool(foreground), find_foreground),
                model=model,
                finish=finish,
                seed=seed,
                hints=hints is not None,
                selection_mask=selection is not None,
                previous=previous is not None,
                mode=mode,
                preparation=lines_as,
            ).to_json()
        )
        with connect_backend(home or default_home()) as client:
            request = set_parameters(client, request, values, parameter or ())
            status = _wait_for_job(client, client.submit(request, parts, uuid.uuid4().hex))
            _write_result(client, status, drawing, out, lines.stem)
            # Only when everything is written: until then the backend keeps the result.
            client.acknowledge(status.id)


def read_image(path: Path) -> Image.Image:
    """Any image that Pillow reads, as RGBA, rotated as its EXIF data says.  typer.BadParameter when it cannot be read."""
    try:
        with Image.open(path) as image:
            return ImageOps.exif_transpose(image).convert("RGBA")
    except (OSError, Image.DecompressionBombError) as error:
        raise typer.BadParameter("%s is not an image that can be read: %s" % (path, error)) from error


def unite_mask_files(paths: Sequence[Path], size: tuple[int, int]) -> Gray:
    """The union of the masks in these files, (H, W), for a drawing of ``size`` (width, height).

    typer.BadParameter, which names the file, for one that cannot be read, has another size, or holds no foreground.
    """
    masks: list[Gray] = []
    for path in paths:
        mask = np.asarray(read_image(path).convert("L"))
        if mask.shape != size[::-1]:
            raise typer.BadParameter("%s is %d x %d, the image it is for %d x %d" % (path, *mask.shape[::-1], *size))
        if is_empty_mask(mask):
            raise typer.BadParameter("%s is empty: nothing in it is white" % path)
        masks.append(mask)
    return unite_masks(*masks)


def _foreground_source(is_given: bool, finds: bool) -> ForegroundSource:
    if not is_given:
        return ForegroundSource.AUTOMATIC
    return ForegroundSource.MASK_AND_AUTOMATIC if finds else ForegroundSource.MASK


def _wait_for_job(client: Client, status: JobStatus) -> JobStatus:
    """Wait for the job to finish and return its status.  Raises its error; Ctrl-C cancels it."""
    with Progress(transient=True) as progress:
        bar = progress.add_task("waiting", total=1.0)
        try:
            for newer in client.follow(status.id):
                status = newer
                progress.update(bar, completed=newer.progress, description=newer.stage or newer.state.value)
        except KeyboardInterrupt:
            client.cancel(status.id)
            typer.echo("Cancelled.", err=True)
            raise typer.Exit(_INTERRUPTED) from None
    if status.error is not None:
        raise status.error
    if status.state is not JobState.DONE:
        typer.echo("The job was cancelled.", err=True)
        raise typer.Exit(1)
    return status


def _write_result(client: Client, status: JobStatus, drawing: Image.Image, out: Path, stem: str) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for name in status.layers:
        client.save_layer(status.id, name, out / (name + ".png"))
    if LAYER_LINES in status.layers:
        drawing = read_image(out / (LAYER_LINES + ".png"))
    else:
        (out / (LAYER_LINES + ".png")).write_bytes(png_bytes(drawing))
    write_openraster(
        out / (stem + ".ora"),
        ColoredDrawing(
            lines=drawing,
            foreground=Image.open(io.BytesIO((out / (LAYER_FOREGROUND + ".png")).read_bytes())),
            background=Image.open(io.BytesIO((out / (LAYER_BACKGROUND + ".png")).read_bytes())),
            multiply=is_opaque_drawing(np.asarray(drawing)),
            group=result_name(status.seed, "", status.model),
        ),
    )
    for warning in status.warnings:
        typer.echo(warning)
    typer.echo("%s (%.1f s)" % (out / (stem + ".ora"), sum(status.seconds.values())))
