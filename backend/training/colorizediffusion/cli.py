"""``linewash train v1 | v15 | publish | dataset``.

What runs the networks is imported when a command is called: training mini does without the packages it needs.
"""

from pathlib import Path
from typing import Annotated

import typer

from backend.families.diffusion.denoiser import Prediction
from backend.imaging.ink import lines_from_color
from backend.training import cli_options
from backend.training.colorizediffusion.augment import MULTI_ASPECT, Augmentation, Size
from backend.training.colorizediffusion.batch import Settings
from backend.training.colorizediffusion.dataset import DataError, Filters, PictureFolder
from backend.training.colorizediffusion.dataset_builder import BuildOptions, MaskOf, make
from backend.training.engine.config import Hardware, TrainConfig

RATES = {"v1": 1e-5, "v15": 1e-4}
"""Constant; as published."""

Start = Annotated[Path, typer.Option(help="Checkpoint in published format to begin with (.safetensors).", exists=True)]
Clip = Annotated[Path | None, typer.Option(help="CLIP ViT-H-14, where the checkpoint does not hold it.", exists=True)]
Predicts = Annotated[str, typer.Option(help="eps or v; empty: as the checkpoint's file name says.")]


def stage(
    context: typer.Context,
    data: Annotated[Path, typer.Option(help="Data set: color/, sketch/ and for v15 mask/.", exists=True, file_okay=False)],
    start: Start,
    run: cli_options.RunFolder,
    clip: Clip = None,
    predicts: Predicts = "",
    steps: cli_options.Steps = 0,
    minutes: Annotated[float, typer.Option(help="Instead: time for the whole run.")] = 60.0,
    batch: cli_options.Batch = 4,
    parts: cli_options.Parts = 0,
    rate: Annotated[float, typer.Option(help="Learning rate; 0: 1e-5 for v1, 1e-4 for v15.")] = 0.0,
    warmup: Annotated[int, typer.Option(min=1, help="Steps until the rate is reached.")] = 1,
    decay: cli_options.Decay = 0.01,
    average: cli_options.Average = 0.0,
    size: Annotated[
        str, typer.Option(help="Crops as 512x512,448x576 (height first), or multi for the ten of 768.")
    ] = "512x512",
    load_size: Annotated[int, typer.Option(help="Largest side before cropping; 0: an eighth above the crops.")] = 0,
    flip: Annotated[bool, typer.Option("--flip", help="Mirror pictures, and references apart from them.")] = False,
    border: Annotated[int, typer.Option(min=0, help="Most pixels of lines wiped at an edge.")] = 150,
    turn: Annotated[float, typer.Option(help="Most degrees references are turned.")] = 0.0,
    jitter: Annotated[float, typer.Option(help="Most change of a reference's brightness, contrast, saturation.")] = 0.0,
    erase: Annotated[float, typer.Option(help="Share of batches with a rectangle of the reference's mask made figure.")] = 0.0,
    warp: Annotated[float, typer.Option(help="Share of batches with warped references.")] = 0.0,
    withhold: cli_options.Withhold = 0.5,
    withhold_sketch: cli_options.WithholdLines = 0.0,
    offset: Annotated[float, typer.Option(help="Strength of noise that is even over a channel.")] = 0.05,
    min_snr: Annotated[float, typer.Option(help="Gamma of min-SNR weighting; 0: off.")] = 0.0,
    noisy: Annotated[bool, typer.Option("--noisy-reference", help="v1: noise the reference's tokens as the picture.")] = False,
    score: Annotated[float, typer.Option(help="Least aesthetic score, where image_list*.json has one.")] = 0.0,
    smallest: Annotated[int, typer.Option(help="Smallest side, where image_list*.json has a resolution.")] = 0,
    validation: cli_options.Validation = None,
    spare: Annotated[bool, typer.Option("--spare-memory", help="Compute inner values twice rather than keep them.")] = False,
    precision: cli_options.Precision = "bf16",
    seed: int = 0,
    device: cli_options.Device = "auto",
    threads: cli_options.Threads = 0,
    workers: cli_options.Workers = 0,
    save_minutes: cli_options.SaveMinutes = 15.0,
) -> None:
    """Train this stage; goes on where it stopped.  Several GPUs: accelerate launch -m backend.training.cli ..."""
    from backend.training.colorizediffusion.stage import Start as Begin
    from backend.training.colorizediffusion.stage import StartError
    from backend.training.colorizediffusion.v1 import V1Stage
    from backend.training.colorizediffusion.v15 import V15Stage
    from backend.training.colorizediffusion.validation_images import sheet_of
    from backend.training.engine.trainer import Trainer

    part = str(context.command.name)
    if noisy and part != "v1":
        raise typer.BadParameter("--noisy-reference is v1's: v15 shares its tokens out by masks, clean")
    crops = _crops(size)
    longest = max(max(crop) for crop in crops)
    how = Augmentation(
        crops, load_size or longest * 9 // 8 + 1, flip, flip, border, turn, jitter, erase, warp, expand=part == "v15"
    )
    settings = Settings(batch, how, withhold, withhold_sketch, offset, min_snr, part == "v15", noisy)
    begin = Begin(start, clip, _prediction(predicts), spare)
    try:
        pictures = PictureFolder(data, settings.masks, Filters(score, smallest))
        shown = PictureFolder(validation, settings.masks) if validation else None
    except DataError as error:
        raise typer.BadParameter(str(error)) from error
    task = (V1Stage if part == "v1" else V15Stage)(pictures, begin, settings)
    recipe = TrainConfig(
        minutes=minutes,
        steps=steps,
        rate=rate or RATES[part],
        warmup=warmup,
        last=1.0,
        decay=decay,
        betas=(0.9, 0.999),
        average=average,
        parts=parts,
        seed=seed,
        save_every_s=save_minutes * 60,
    )
    try:
        training = Trainer(task, recipe, run, Hardware(device, threads, workers, precision=precision))
    except StartError as error:
        raise typer.BadParameter(str(error)) from error
    training.train(sheet_of(task, shown) if shown else None)
    training.accelerator.end_training()


def publish(
    run: Annotated[Path, typer.Argument(help="Folder of a run.", exists=True, file_okay=False)],
    out: Annotated[Path, typer.Argument(help="Checkpoint to write, .safetensors, with eps in its name if that was learned.")],
    start: Start,
    clip: Clip = None,
    predicts: Predicts = "",
) -> None:
    """Write what a run has learned as a checkpoint in published format, to be put into the models folder."""
    from backend.training.colorizediffusion.export import publish as write
    from backend.training.colorizediffusion.stage import Start as Begin

    try:
        typer.echo(f"{write(Begin(start, clip, _prediction(predicts)), run, out)} trained weights in {out}")
    except (ValueError, FileNotFoundError) as error:
        raise typer.BadParameter(str(error)) from error


def dataset(
    pictures: Annotated[Path, typer.Argument(help="Folder of colored pictures.", exists=True, file_okay=False)],
    out: Annotated[Path, typer.Argument(help="Folder for the data set.")],
    masks: Annotated[bool, typer.Option(help="Guess where figures are; v15 needs it.")] = True,
    smallest: Annotated[int, typer.Option(help="Leave out pictures with a shorter side below this.")] = 256,
    largest: Annotated[int, typer.Option(help="Make larger shorter sides so long.")] = 1024,
    archive: Annotated[int, typer.Option(min=0, help="Pictures in a zip archive; 0: loose files.")] = 0,
) -> None:
    """Make a data set of colored pictures: their lines, and masks of their figures.  Called again it goes on."""
    how = BuildOptions(lines_from_color, _guesser() if masks else None, smallest, largest, archive)
    made = make(pictures, out, how, typer.echo)
    for reason in made.left_out:
        typer.echo(f"left out: {reason}", err=True)
    typer.echo(f"{made.count} pictures in {out}")
    if not made.count:
        raise typer.Exit(1)


def _guesser() -> MaskOf:
    from backend.families.registry import foreground_segmenter
    from shared.paths import default_home, models_dir

    return foreground_segmenter(models_dir(default_home())).guess_reference_mask


def _crops(text: str) -> tuple[Size, ...]:
    if text == "multi":
        return MULTI_ASPECT
    try:
        crops = tuple((int(height), int(width)) for height, width in (one.split("x") for one in text.split(",")))
    except ValueError as error:
        raise typer.BadParameter(f"{text} is no list of crops like 512x512,448x576") from error
    if any(side < 64 or side % 64 for crop in crops for side in crop):
        raise typer.BadParameter("sides of crops are multiples of 64")
    return crops


def _prediction(text: str) -> Prediction | None:
    if text not in ("", "eps", "v"):
        raise typer.BadParameter(f"{text} is neither eps nor v")
    return None if not text else "eps" if text == "eps" else "v"
