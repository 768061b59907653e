"""``linewash train``: drawings for mini and its training; the training stages of ColorizeDiffusion and AnimeDiffusion.

What trains is imported when a command is called: drawing and ``--help`` do without the packages that it needs.
"""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backend.training import cli_options
from backend.training.animediffusion import cli as animediffusion
from backend.training.colorizediffusion import cli as colorizediffusion
from backend.training.colorizediffusion.stages.stage_table import STAGES
from backend.training.synthetic.cli import app as drawings
from backend.weights.shipped_model import SHIPPED_MODELS, ModelFolder
from shared.devices.device_status import NumberFormat

if TYPE_CHECKING:
    from backend.training.engine.task import Task
    from backend.training.mini.shard_dataset import ShardDataset

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Train mini, ColorizeDiffusion or AnimeDiffusion.")
app.add_typer(drawings, name="drawings")
for _stage in STAGES:
    app.command(_stage)(colorizediffusion.train_stage)
app.command("publish")(colorizediffusion.publish_run)
app.command("dataset")(colorizediffusion.create_dataset)
for _phase in animediffusion.EPOCHS:
    app.command(_phase)(animediffusion.train_phase)
app.command("anime-publish")(animediffusion.publish_run)
app.command("anime-lines")(animediffusion.extract_lines)

HELD_OUT = ("mage/", "drawn/storybook")
"""Sources that training never sees; they are for measuring."""

Cache = Annotated[Path, typer.Option(help="Folder of prepared drawings.")]
PartRun = Annotated[Path | None, typer.Option(help="Folder of the training run that this part is taken from.")]


def mini_tasks() -> "dict[str, Callable[[ShardDataset, int], Task]]":
    """The task of each of mini's three networks, made from a data set and a batch size."""
    from backend.training.mini.flats_task import FlatsTask
    from backend.training.mini.foreground_task import ForegroundTask
    from backend.training.mini.painted_task import PaintedTask

    return {"flats": FlatsTask, "painted": PaintedTask, "foreground": ForegroundTask}


@app.command()
def prepare(
    shards: Annotated[Path, typer.Argument(help="Folder of .npz shards.", exists=True, file_okay=False)],
    cache: Cache,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
) -> None:
    """Cut the drawings of every new .npz shard into regions."""
    import cv2

    from backend.training.mini.preprocess import preprocess_shard

    new = [shard for shard in sorted(shards.glob("*.npz")) if not (cache / shard.stem / "done").exists()]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, cv2.setNumThreads, (1,)) as pool:
        added = sum(pool.map(preprocess_shard, new, [cache / shard.stem for shard in new]))
    typer.echo(f"{added} examples added")


@app.command("precompute-warps")
def precompute_warps(
    cache: Cache,
    flats: PartRun = None,
    base: Annotated[
        Path, typer.Option(help="Model whose flats network is taken when no training run is given.")
    ] = SHIPPED_MODELS / "mini",
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
) -> None:
    """Warp the reference of every prepared example with the flats network; the painted network learns from the result."""
    import torch

    from backend.networks.mini.flats import Flats
    from backend.training.mini import precompute_warp
    from backend.training.mini.flats_task import FlatsTask
    from backend.training.mini.shard_dataset import ShardDataset

    if flats is None:
        weights = ModelFolder(base).tensors("flats")
    else:
        from backend.training.mini.export import load_averaged_weights

        weights = load_averaged_weights(FlatsTask(ShardDataset(cache, ())), flats)
    network = Flats()
    network.load_state_dict({name: tensor.float() for name, tensor in weights.items()})
    count = precompute_warp.precompute_warps(network.to(torch.device(device)), cache)
    typer.echo(f"warps of {count} examples added")


@app.command("foreground")
@app.command("painted")
@app.command("flats")
def train(
    context: typer.Context,
    cache: Cache,
    run: cli_options.RunFolder,
    minutes: Annotated[float, typer.Option(help="Time for the whole training run, interruptions not counted.")] = 40.0,
    extra_minutes: Annotated[float, typer.Option(help="Instead: so many minutes from here, whatever the run has had.")] = 0.0,
    steps: Annotated[int, typer.Option(help="Instead: so many steps in the whole training run.")] = 0,
    start: Annotated[Path | None, typer.Option(help="A model folder whose weights a new training run begins with.")] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Examples in a batch.")] = 16,
    learning_rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 8e-4,
    seed: int = 0,
    number_format: cli_options.NumberFormat = NumberFormat.AUTOMATIC,
    device: cli_options.Device = "auto",
    threads: cli_options.Threads = 0,
    workers: cli_options.Workers = 0,
    compile_network: Annotated[bool, typer.Option("--compile", help="Compile the network first; pays off on a GPU.")] = False,
    save_minutes: Annotated[float, typer.Option(help="Minutes between two checkpoints.")] = 4.0,
) -> None:
    """Train this network of mini; resumes when the folder of the training run holds a checkpoint."""
    from backend.training.engine.config import Hardware, TrainConfig
    from backend.training.engine.trainer import Trainer
    from backend.training.mini.precompute_warp import WARP_FILE
    from backend.training.mini.shard_dataset import ShardDataset
    from backend.training.mini.validation_images import create_sheet_renderer

    part = str(context.command.name)
    dataset = ShardDataset(cache, HELD_OUT)
    if not dataset.refresh():
        raise typer.BadParameter("no prepared drawings in the cache")
    if part == "painted" and not all((done.parent / WARP_FILE).exists() for done in cache.glob("*/done")):
        raise typer.BadParameter("some examples in the cache have no warped reference: linewash train precompute-warps")
    config = TrainConfig(minutes=minutes, steps=steps, learning_rate=learning_rate, seed=seed, save_every_s=save_minutes * 60)
    task = mini_tasks()[part](dataset, batch_size)
    trainer = Trainer(task, config, run, Hardware(device, threads, workers, compile_network, number_format))
    if extra_minutes:
        trainer.extend_budget(extra_minutes)
    if start and trainer.progress.step == 0:
        trainer.load_weights(ModelFolder(start).tensors(part))
    trainer.train(create_sheet_renderer(part, cache))


@app.command()
def export(
    out: Annotated[Path, typer.Argument(help="Model folder to write.")],
    flats: PartRun = None,
    painted: PartRun = None,
    foreground: PartRun = None,
    base: Annotated[Path, typer.Option(help="The model that parts without a training run are taken from.")] = SHIPPED_MODELS
    / "mini",
) -> None:
    """Write a model (safetensors, config, digests) from the newest checkpoints of training runs."""
    from backend.training.mini.export import export_model
    from backend.training.mini.shard_dataset import ShardDataset

    folders = {"flats": flats, "painted": painted, "foreground": foreground}
    runs = {part: run for part, run in folders.items() if run is not None}
    no_examples = ShardDataset(out, ())  # exporting needs the networks of the tasks only
    size = export_model({part: task(no_examples, 1) for part, task in mini_tasks().items()}, runs, out, base)
    copied = ", ".join(part for part in folders if part not in runs)
    typer.echo(f"{size / 1e6:.1f} MB of weights in {out}" + (f"; {copied} as in {base}" if copied else ""))


if __name__ == "__main__":
    app()
