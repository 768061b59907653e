"""``linewash train anime1 | anime2 | anime-publish | anime-lines``.

What runs the networks is imported when a command is called: training mini does without the packages that it needs.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from backend.imaging.thin_plate_warp import warp_inside, warp_published
from backend.training import cli_options
from backend.training.cli_errors import cli_errors
from backend.training.engine.config import Hardware
from shared.devices.device_status import NumberFormat

if TYPE_CHECKING:
    from backend.training.animediffusion.phases import InitialNoise, Phase, Reduction

EPOCHS = {"anime1": 200.0, "anime2": 10.0}
"""Of each phase, as published."""
REDUCTIONS: dict[str, Literal["sum", "mean"]] = {"anime1": "sum", "anime2": "mean"}
"""Of the squared errors to the loss of each phase, as published."""
WARPS = {"published": warp_published, "inside": warp_inside, "none": None}
INITIAL_NOISES = ("published", "inverted", "random")


def train_phase(
    context: typer.Context,
    data: Annotated[Path, typer.Option(help="Data set: reference/ and condition/.", exists=True, file_okay=False)],
    run: cli_options.RunFolder,
    start: Annotated[Path | None, typer.Option(help="Checkpoint to begin with; anime2 needs one.", exists=True)] = None,
    width: Annotated[int, typer.Option(min=32, help="anime1: width of a new network's first level.")] = 64,
    loss: Annotated[str, typer.Option(help="sum or mean of the errors; as published: sum in anime1, mean in anime2.")] = "",
    epochs: Annotated[float, typer.Option(help="Times that all images are seen; 0: 200 in anime1, 10 in anime2.")] = 0.0,
    steps: Annotated[int, typer.Option(min=0, help="Instead: steps in the whole training run.")] = 0,
    minutes: Annotated[float, typer.Option(min=0, help="Instead: time for the whole training run.")] = 0.0,
    batch_size: cli_options.BatchSize = 32,
    batches_per_step: cli_options.BatchesPerStep = 0,
    side: Annotated[int, typer.Option(min=16, help="Side of the images that are learned, a multiple of 8.")] = 256,
    learning_rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 1e-4,
    warmup_share: Annotated[
        float, typer.Option(min=0, max=0.9, help="Share of the run in which the rate rises; 0: one epoch of --epochs.")
    ] = 0.0,
    weight_decay: cli_options.WeightDecay = 0.01,
    ema_decay: cli_options.EmaDecay = 0.0,
    max_grad_norm: Annotated[
        float, typer.Option(min=0, help="Gradients with a larger norm are scaled down to it; 0: never, as published.")
    ] = 0.0,
    warp: Annotated[str, typer.Option(help="Warp of references: published, none, or inside (the edges stay).")] = "published",
    drop_reference: cli_options.ReferenceDropout = 0.0,
    drop_lines: cli_options.LineDropout = 0.0,
    initial_noise: Annotated[
        str, typer.Option(help="anime2: published, inverted (the network is told the time) or random.")
    ] = "published",
    sampler_steps: Annotated[int, typer.Option(min=1, max=999, help="anime2: steps of the sampler.")] = 10,
    eta: Annotated[float, typer.Option(min=0, max=1, help="anime2: how much fresh noise the sampler adds.")] = 1.0,
    validation: cli_options.Validation = None,
    number_format: cli_options.NumberFormat = NumberFormat.AUTOMATIC,
    seed: int = 0,
    device: cli_options.Device = "auto",
    threads: cli_options.Threads = 0,
    workers: cli_options.Workers = 0,
    save_minutes: cli_options.SaveMinutes = 15.0,
) -> None:
    """Train this phase of AnimeDiffusion; resumes where it stopped."""
    from backend.training.animediffusion.batch import BatchConfig
    from backend.training.animediffusion.config import (
        AnimeTrainConfig,
        fastest_memory_format,
        process_count,
        steps_for_epochs,
    )
    from backend.training.animediffusion.dataset import FacePairs
    from backend.training.animediffusion.phases import InitialNetwork, Phase1, Phase2
    from backend.training.animediffusion.validation_images import create_sheet_renderer
    from backend.training.colorizediffusion.dataset import DatasetError
    from backend.training.engine.trainer import Trainer

    name = str(context.command.name)
    reduction = cast("Reduction", _require_one_of(loss or REDUCTIONS[name], ("sum", "mean")))
    if side % 8:
        raise typer.BadParameter("sides are multiples of 8")
    if width % 32:
        raise typer.BadParameter("widths are multiples of 32")
    batch_config = BatchConfig(batch_size, side, WARPS[_require_one_of(warp, tuple(WARPS))], drop_reference, drop_lines)
    with cli_errors(DatasetError):
        pairs, validation_set = FacePairs(data), FacePairs(validation) if validation else None
    task: Phase
    if name == "anime1":
        task = Phase1(pairs, InitialNetwork(start, tuple(width << level for level in range(4))), batch_config, reduction)
    elif start is None:
        raise typer.BadParameter("anime2 begins with a checkpoint", param_hint="--start")
    else:
        noise = cast("InitialNoise", _require_one_of(initial_noise, INITIAL_NOISES))
        task = Phase2(pairs, InitialNetwork(start), batch_config, reduction, noise, sampler_steps, eta)
    passes = epochs or EPOCHS[name]
    # Epochs become steps: then the result does not depend on the speed of the machine.
    if not (steps or minutes):
        steps = steps_for_epochs(passes, len(pairs), batch_size, batches_per_step or process_count())
    config = AnimeTrainConfig(
        minutes=minutes or float("inf"),
        steps=steps,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        betas=(0.9, 0.999),
        ema_decay=ema_decay,
        batches_per_step=batches_per_step,
        max_grad_norm=max_grad_norm,
        seed=seed,
        save_every_s=save_minutes * 60,
        warmup_share=warmup_share or min(0.5, 1 / passes),
    )
    hardware = Hardware(device, threads, workers, number_format=number_format, memory_format=fastest_memory_format(device))
    with cli_errors(ValueError):
        try:
            trainer = Trainer(task, config, run, hardware)
        except RuntimeError as error:
            if "loading state_dict" not in str(error):  # torch has no class of its own for weights that do not fit
                raise
            raise typer.BadParameter(f"{run} holds a run of another network", param_hint="--run") from error
    with cli_errors(DatasetError):
        trainer.train(create_sheet_renderer(validation_set, side, batch_config.warp) if validation_set else None)
    trainer.accelerator.end_training()


def publish_run(
    run: Annotated[Path, typer.Argument(help="Folder of a training run of anime1 or anime2.", exists=True, file_okay=False)],
    out: Annotated[Path, typer.Argument(help="Checkpoint to write, .safetensors.")],
) -> None:
    """Write what a training run of AnimeDiffusion has learned as a checkpoint in published format, for the models folder."""
    from backend.training.animediffusion.export import export_checkpoint

    with cli_errors(ValueError, FileNotFoundError):
        typer.echo(f"{export_checkpoint(run, out)} trained weights in {out}")


def extract_lines(
    data: Annotated[Path, typer.Argument(help="Data set with reference/, images of faces.", exists=True, file_okay=False)],
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Draw the lines of a data set's images into condition/, as the published ones were made; existing ones stay."""
    from backend.training.animediffusion.dataset import draw_lines
    from backend.training.colorizediffusion.dataset import DatasetError

    with cli_errors(DatasetError):
        typer.echo(f"{draw_lines(data, seed)} drawings made")


def _require_one_of(text: str, choices: tuple[str, ...]) -> str:
    if text not in choices:
        raise typer.BadParameter(f"{text} is none of {', '.join(choices)}")
    return text
