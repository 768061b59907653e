"""``linewash train v1 | v15 | v2-backbone | v2-background | v2-style | publish | dataset``.

What runs the networks is imported when a command is called: training mini does without the packages that it needs.
"""

from pathlib import Path
from typing import Annotated

import typer

from backend.families.colorizediffusion.checkpoint.config import BackgroundContext
from backend.families.diffusion.denoiser import Prediction
from backend.imaging.ink import lines_from_color
from backend.training import cli_options
from backend.training.cli_errors import cli_errors
from backend.training.colorizediffusion.augment import MULTI_ASPECT, Augmentation, Size
from backend.training.colorizediffusion.batch import BatchConfig
from backend.training.colorizediffusion.dataset import SKETCH, DatasetError, Filters, ImageDataset
from backend.training.colorizediffusion.dataset_builder import BuildOptions, ForegroundSegmenter, build_dataset
from backend.training.colorizediffusion.stages.stage_table import OPTION_STAGES, STAGES, V2_BACKGROUND
from backend.training.engine.config import Hardware, TrainConfig
from shared.devices.device_status import NumberFormat

Start = Annotated[Path, typer.Option(help="Checkpoint in published format to begin with (.safetensors).", exists=True)]
Clip = Annotated[Path | None, typer.Option(help="CLIP ViT-H-14, where the checkpoint does not hold it.", exists=True)]
PredictionType = Annotated[str, typer.Option(help="eps or v; empty: as the JSON file beside the checkpoint says, or its name.")]


def train_stage(
    context: typer.Context,
    data: Annotated[
        Path, typer.Option(help="Data set: color/, sketch/ and for v15 and v2-background mask/.", exists=True, file_okay=False)
    ],
    start: Start,
    run: cli_options.RunFolder,
    clip: Clip = None,
    prediction: PredictionType = "",
    steps: cli_options.Steps = 0,
    minutes: Annotated[float, typer.Option(help="Instead: time for the whole training run.")] = 60.0,
    batch_size: cli_options.BatchSize = 4,
    batches_per_step: cli_options.BatchesPerStep = 0,
    learning_rate: Annotated[float, typer.Option(help="Learning rate; 0: 1e-4 for v15, 1e-5 for the others.")] = 0.0,
    warmup_steps: Annotated[int, typer.Option(min=1, help="Steps until the learning rate is reached.")] = 1,
    weight_decay: cli_options.WeightDecay = 0.01,
    ema_decay: cli_options.EmaDecay = 0.0,
    crops: Annotated[
        str,
        typer.Option(
            help="Crop sizes as 512x512,448x576 (height first), or multi for the ten of 768. Default: 512x512, v2: multi."
        ),
    ] = "",
    load_size: Annotated[
        int, typer.Option(help="Largest side before cropping; 0: an eighth above the crops, v2 with multi: 1024.")
    ] = 0,
    flip: Annotated[bool, typer.Option("--flip", help="Mirror images, and references independently of them.")] = False,
    wipe_border: Annotated[int, typer.Option(min=-1, help="Most pixels of lines wiped at an edge; -1: 150, v2: 200.")] = -1,
    rotate: Annotated[float, typer.Option(help="Most degrees that references are rotated.")] = 0.0,
    color_jitter: Annotated[float, typer.Option(help="Most change of a reference's brightness, contrast, saturation.")] = 0.0,
    erase_mask: Annotated[
        float,
        typer.Option(help="v15, v2-background: share of batches with a rectangle of reference masks made foreground."),
    ] = 0.0,
    warp: Annotated[float, typer.Option(help="Share of batches with warped references.")] = 0.0,
    drop_reference: cli_options.ReferenceDropout = 0.5,
    drop_lines: cli_options.LineDropout = 0.0,
    offset_noise: Annotated[float, typer.Option(help="Strength of noise that is even over a channel.")] = 0.05,
    min_snr: Annotated[float, typer.Option(help="Gamma of min-SNR weighting; 0: off.")] = 0.0,
    noisy_reference: Annotated[
        bool, typer.Option("--noisy-reference", help="v1, v2-backbone: add noise to the reference's tokens as to the image.")
    ] = False,
    white_background: Annotated[
        float, typer.Option(min=0, max=1, help="v2-background: share of images that are learned with a white background.")
    ] = 0.05,
    background_context: Annotated[
        str,
        typer.Option(
            help="v2-background: whose tokens the background encoder sees, background or reference. "
            "Default: as it has learned in the start, a new one the background's."
        ),
    ] = "",
    merge_masks: Annotated[
        float, typer.Option(min=0, max=1, help="v2-background: share of images whose mask is united with another's.")
    ] = 0.0,
    sketch_folder: Annotated[
        list[str] | None,
        typer.Option(help="Folder of sketches, instead of sketch; several times: one of them is drawn for each image."),
    ] = None,
    min_score: Annotated[float, typer.Option(help="Least aesthetic score, where image_list*.json has one.")] = 0.0,
    min_side: Annotated[
        int, typer.Option(min=-1, help="Smallest side, where image_list*.json has a resolution; -1: v2 1024, others any.")
    ] = -1,
    validation: cli_options.Validation = None,
    gradient_checkpointing: Annotated[
        bool, typer.Option("--gradient-checkpointing", help="Compute activations twice rather than keep them.")
    ] = False,
    number_format: cli_options.NumberFormat = NumberFormat.AUTOMATIC,
    seed: int = 0,
    device: cli_options.Device = "auto",
    threads: cli_options.Threads = 0,
    workers: cli_options.Workers = 0,
    save_minutes: cli_options.SaveMinutes = 15.0,
) -> None:
    """Train this stage; resumes where it stopped.  Several GPUs: accelerate launch -m backend.training.cli ..."""
    from backend.training.colorizediffusion.run_values import check_start, run_values
    from backend.training.colorizediffusion.stages.stage import StartCheckpoint, StartCheckpointError
    from backend.training.colorizediffusion.stages.stage_classes import STAGE_CLASSES
    from backend.training.colorizediffusion.validation_images import create_sheet_renderer
    from backend.training.engine.run_record import OtherRunError, check_run, record_run
    from backend.training.engine.trainer import Trainer

    name = str(context.command.name)
    info = STAGES[name]
    _refuse_options_of_others(context, name)
    sizes = _parse_crops(crops or info.crops)
    longest = max(max(size) for size in sizes)
    augmentation = Augmentation(
        crops=sizes,
        load_size=load_size or (0 if crops else info.load_size) or longest * 9 // 8 + 1,
        flip=flip,
        reference_flip=flip,
        max_border=info.max_border if wipe_border < 0 else wipe_border,
        max_rotation=rotate,
        color_jitter=color_jitter,
        erase_share=erase_mask,
        warp_share=warp,
        expand_masks=info.needs_masks,
    )
    batch_config = BatchConfig(
        batch_size=batch_size,
        augmentation=augmentation,
        reference_dropout=drop_reference,
        sketch_dropout=drop_lines,
        offset_noise=offset_noise,
        min_snr=min_snr,
        masks=info.needs_masks,
        noisy_reference=noisy_reference,
        thresholds=info.thresholds,
        encoded_reference=info.encodes_reference,
        bleached_background=info is V2_BACKGROUND,
        white_background=white_background,
        merged_masks=merge_masks,
    )
    checkpoint = StartCheckpoint(
        start, clip, _parse_prediction(prediction), _parse_context(background_context), gradient_checkpointing
    )
    with cli_errors(DatasetError):
        sketches = tuple(sketch_folder) if sketch_folder else (SKETCH,)
        filters = Filters(min_score, info.min_side if min_side < 0 else min_side)
        dataset = ImageDataset(data, batch_config.masks, filters, sketches)
        validation_set = ImageDataset(validation, batch_config.masks) if validation else None
    stage = STAGE_CLASSES[name](dataset, checkpoint, batch_config)
    config = TrainConfig(
        minutes=minutes,
        steps=steps,
        learning_rate=learning_rate or info.learning_rate,
        warmup_steps=warmup_steps,
        final_rate_share=1.0,
        weight_decay=weight_decay,
        betas=(0.9, 0.999),
        ema_decay=ema_decay,
        batches_per_step=batches_per_step,
        seed=seed,
        save_every_s=save_minutes * 60,
    )
    with cli_errors(StartCheckpointError, OtherRunError):
        # Before the trainer loads weights of the training run into networks that they may not fit.
        check_run(run, {"stage": name})
        start_values = check_start(run, start)
        trainer = Trainer(stage, config, run, Hardware(device, threads, workers, number_format=number_format))
        values = run_values(name, stage)
        check_run(run, values)
        with trainer.accelerator.main_process_first():
            record_run(run, {**values, **start_values})
    if trainer.accelerator.is_main_process:
        for notice in filter(None, (dataset.notice, stage.notice)):
            typer.echo(notice, err=True)
    trainer.train(create_sheet_renderer(stage, validation_set) if validation_set else None)
    trainer.accelerator.end_training()


def publish_run(
    run: Annotated[Path, typer.Argument(help="Folder of a training run.", exists=True, file_okay=False)],
    out: Annotated[Path, typer.Argument(help="Checkpoint to write, .safetensors; a .json comes beside it.")],
    start: Start,
    clip: Clip = None,
    prediction: PredictionType = "",
) -> None:
    """Write what a training run has learned as a checkpoint in published format, for the models folder."""
    from backend.training.colorizediffusion.export import export_checkpoint
    from backend.training.colorizediffusion.stages.stage import StartCheckpoint

    checkpoint = StartCheckpoint(start, clip, _parse_prediction(prediction))
    with cli_errors(ValueError, FileNotFoundError):
        report = export_checkpoint(checkpoint, run, out)
    typer.echo(f"{report.count} trained weights in {out}")
    if report.warning:
        typer.echo(report.warning, err=True)


def create_dataset(
    images: Annotated[Path, typer.Argument(help="Folder of colored images.", exists=True, file_okay=False)],
    out: Annotated[Path, typer.Argument(help="Folder for the data set.")],
    masks: Annotated[bool, typer.Option(help="Make masks of the foreground; v15 and v2-background need them.")] = True,
    min_side: Annotated[int, typer.Option(help="Leave out images whose shorter side is below this.")] = 256,
    max_side: Annotated[int, typer.Option(help="Shrink images whose shorter side is above this.")] = 1024,
    archive_size: Annotated[int, typer.Option(min=0, help="Images in a zip archive; 0: loose files.")] = 0,
) -> None:
    """Make a data set of colored images: their lines, and masks of their foreground.  Called again, it continues."""
    segmenter = _default_segmenter() if masks else None
    options = BuildOptions(lines_from_color, segmenter, min_side, max_side, archive_size)
    report = build_dataset(images, out, options, typer.echo)
    for reason in report.left_out:
        typer.echo(f"left out: {reason}", err=True)
    typer.echo(f"{report.count} images in {out}")
    if not report.count:
        raise typer.Exit(1)


def _default_segmenter() -> ForegroundSegmenter:
    from backend.families.registry import foreground_segmenter
    from shared.paths import default_home, models_dir

    return foreground_segmenter(models_dir(default_home())).segment_reference


def _refuse_options_of_others(context: typer.Context, stage: str) -> None:
    for option, stages in OPTION_STAGES.items():
        source = context.get_parameter_source(option)
        if stage not in stages and source is not None and source.name == "COMMANDLINE":
            raise typer.BadParameter(f"--{option.replace('_', '-')} is for {' and '.join(stages)}: {stage} does not use it")


def _parse_crops(text: str) -> tuple[Size, ...]:
    if text == "multi":
        return MULTI_ASPECT
    try:
        crops = tuple((int(height), int(width)) for height, width in (size.split("x") for size in text.split(",")))
    except ValueError as error:
        raise typer.BadParameter(f"{text} is no list of crops like 512x512,448x576") from error
    if any(side < 64 or side % 64 for crop in crops for side in crop):
        raise typer.BadParameter("sides of crops are multiples of 64")
    return crops


def _parse_prediction(text: str) -> Prediction | None:
    if text not in ("", "eps", "v"):
        raise typer.BadParameter(f"{text} is neither eps nor v")
    return None if not text else "eps" if text == "eps" else "v"


def _parse_context(text: str) -> BackgroundContext | None:
    if text not in ("", "background", "reference"):
        raise typer.BadParameter(f"{text} is neither background nor reference")
    return None if not text else "background" if text == "background" else "reference"
