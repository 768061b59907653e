"""``linewash train anime1 | anime2 | anime-publish | anime-lines``.

What runs the networks is imported when a command is called: training mini does without the packages it needs.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from backend.imaging.thin_plate_warp import warp_inside, warp_published
from backend.training import cli_options
from backend.training.animediffusion.cli_errors import cli_errors
from backend.training.engine.config import Hardware

if TYPE_CHECKING:
    from backend.training.animediffusion.phases import Beginning, Phase, Reduction

EPOCHS = {"anime1": 200.0, "anime2": 10.0}
LOSSES: dict[str, Literal["sum", "mean"]] = {"anime1": "sum", "anime2": "mean"}
"""As published."""
BENDINGS = {"published": warp_published, "within": warp_inside, "none": None}
BEGINNINGS = ("published", "timed", "noise")


def phase(
    context: typer.Context,
    data: Annotated[Path, typer.Option(help="Data set: reference/ and condition/.", exists=True, file_okay=False)],
    run: cli_options.RunFolder,
    start: Annotated[Path | None, typer.Option(help="Checkpoint to begin with; anime2 needs one.", exists=True)] = None,
    width: Annotated[int, typer.Option(min=32, help="anime1: width of a fresh network's first level.")] = 64,
    loss: Annotated[str, typer.Option(help="sum or mean of the errors; as published: sum in anime1, mean in anime2.")] = "",
    epochs: Annotated[float, typer.Option(help="Times that all pictures are seen; 0: 200 in anime1, 10 in anime2.")] = 0.0,
    steps: Annotated[int, typer.Option(min=0, help="Instead: steps in the whole run.")] = 0,
    minutes: Annotated[float, typer.Option(min=0, help="Instead: time for the whole run.")] = 0.0,
    batch: cli_options.Batch = 32,
    parts: cli_options.Parts = 0,
    side: Annotated[int, typer.Option(min=16, help="Side that pictures are learned at, a multiple of 8.")] = 256,
    rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 1e-4,
    warm: Annotated[
        float, typer.Option(min=0, max=0.9, help="Share of the run in which it rises; 0: one epoch of --epochs.")
    ] = 0.0,
    decay: cli_options.Decay = 0.01,
    average: cli_options.Average = 0.0,
    clip: Annotated[float, typer.Option(min=0, help="Longest gradient; 0: never shortened, as published.")] = 0.0,
    bend: Annotated[str, typer.Option(help="Bent references: published, none, or within (ends stay).")] = "published",
    withhold: cli_options.Withhold = 0.0,
    withhold_lines: cli_options.WithholdLines = 0.0,
    begin: Annotated[str, typer.Option(help="anime2: published, timed (the network is told the time) or noise.")] = "published",
    sampling: Annotated[int, typer.Option(min=1, max=999, help="anime2: steps of the sampler.")] = 10,
    eta: Annotated[float, typer.Option(min=0, max=1, help="anime2: fresh noise in the sampler.")] = 1.0,
    validation: cli_options.Validation = None,
    precision: cli_options.Precision = "bf16",
    seed: int = 0,
    device: cli_options.Device = "auto",
    threads: cli_options.Threads = 0,
    workers: cli_options.Workers = 0,
    save_minutes: cli_options.SaveMinutes = 15.0,
) -> None:
    """Train this phase of AnimeDiffusion; goes on where it stopped."""
    from backend.training.animediffusion.batch import Settings
    from backend.training.animediffusion.config import AnimeRecipe, layout, processes, steps_of
    from backend.training.animediffusion.dataset import FacePairs
    from backend.training.animediffusion.phases import Phase1, Phase2, Start
    from backend.training.animediffusion.validation_images import sheet_of
    from backend.training.colorizediffusion.dataset import DataError
    from backend.training.engine.trainer import Trainer

    part = str(context.command.name)
    reduction = cast("Reduction", _one_of(loss or LOSSES[part], ("sum", "mean")))
    if side % 8:
        raise typer.BadParameter("sides are multiples of 8")
    if width % 32:
        raise typer.BadParameter("widths are multiples of 32")
    settings = Settings(batch, side, BENDINGS[_one_of(bend, tuple(BENDINGS))], withhold, withhold_lines)
    with cli_errors(DataError):
        pairs, shown = FacePairs(data), FacePairs(validation) if validation else None
    task: Phase
    if part == "anime1":
        task = Phase1(pairs, Start(start, tuple(width << level for level in range(4))), settings, reduction)
    elif start is None:
        raise typer.BadParameter("anime2 begins with a checkpoint", param_hint="--start")
    else:
        beginning = cast("Beginning", _one_of(begin, BEGINNINGS))
        task = Phase2(pairs, Start(start), settings, reduction, beginning, sampling, eta)
    times = epochs or EPOCHS[part]
    whole = steps if steps or minutes else steps_of(times, len(pairs), batch, parts or processes())
    recipe = AnimeRecipe(
        minutes=minutes or float("inf"),
        steps=whole,
        rate=rate,
        decay=decay,
        betas=(0.9, 0.999),
        average=average,
        parts=parts,
        clip=clip,
        seed=seed,
        save_every_s=save_minutes * 60,
        warm=warm or min(0.5, 1 / times),
    )
    with cli_errors(ValueError):
        try:
            training = Trainer(
                task, recipe, run, Hardware(device, threads, workers, precision=precision, layout=layout(device))
            )
        except RuntimeError as error:
            if "loading state_dict" not in str(error):  # torch has no class of its own for weights that do not fit
                raise
            raise typer.BadParameter(f"{run} holds a run of another network", param_hint="--run") from error
    with cli_errors(DataError):
        training.train(sheet_of(shown, side, settings.bending) if shown else None)
    training.accelerator.end_training()


def publish(
    run: Annotated[Path, typer.Argument(help="Folder of a run of anime1 or anime2.", exists=True, file_okay=False)],
    out: Annotated[Path, typer.Argument(help="Checkpoint to write, .safetensors.")],
) -> None:
    """Write what a run of AnimeDiffusion has learned as a checkpoint in published format, for the models folder."""
    from backend.training.animediffusion.export import publish as write

    with cli_errors(ValueError, FileNotFoundError):
        typer.echo(f"{write(run, out)} trained weights in {out}")


def lines(
    data: Annotated[Path, typer.Argument(help="Data set with reference/, pictures of faces.", exists=True, file_okay=False)],
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Draw the lines of a data set's pictures into condition/, as the published ones were made; those there are kept."""
    from backend.training.animediffusion.dataset import draw_lines
    from backend.training.colorizediffusion.dataset import DataError

    with cli_errors(DataError):
        typer.echo(f"{draw_lines(data, seed)} drawings made")


def _one_of(text: str, known: tuple[str, ...]) -> str:
    if text not in known:
        raise typer.BadParameter(f"{text} is none of {', '.join(known)}")
    return text
