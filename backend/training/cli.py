"""``linewash train``: draw, prepare, train the three parts, export; and the stages of the published colorers."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Annotated

import cv2
import torch
import typer

from backend.networks.mini.flats import Flats
from backend.training.animediffusion import cli as anime
from backend.training.colorizediffusion import cli as published
from backend.training.engine.config import Hardware, TrainConfig
from backend.training.engine.trainer import Task, Trainer
from backend.training.mini.export import averaged_weights, export_model
from backend.training.mini.flats_task import FlatsTask
from backend.training.mini.foreground_task import ForegroundTask
from backend.training.mini.painted_task import PaintedTask
from backend.training.mini.precompute_warp import WARPED, precompute_warps
from backend.training.mini.preprocess import prepare_shard
from backend.training.mini.shard_dataset import Store
from backend.training.mini.validation_images import sheet_of
from backend.training.synthetic.cli import app as drawings
from backend.weights.shipped_model import SHIPPED, ModelFolder

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Train mini, ColorizeDiffusion or AnimeDiffusion.")
app.add_typer(drawings, name="drawings")
for _part in published.RATES:
    app.command(_part)(published.stage)
app.command()(published.publish)
app.command()(published.dataset)
for _part in anime.EPOCHS:
    app.command(_part)(anime.phase)
app.command("anime-publish")(anime.publish)
app.command("anime-lines")(anime.lines)

HELD_OUT = ("mage/", "drawn/storybook")
"""Sources that training never sees; they are for measuring."""
TASKS: dict[str, Callable[[Store, int], Task]] = {"flats": FlatsTask, "painted": PaintedTask, "foreground": ForegroundTask}

Cache = Annotated[Path, typer.Option(help="Folder of prepared drawings.")]
Trained = Annotated[Path | None, typer.Option(help="Folder of the run this part is taken from.")]


@app.command()
def prepare(
    shards: Annotated[Path, typer.Argument(help="Folder of .npz shards.", exists=True, file_okay=False)],
    cache: Cache,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
) -> None:
    """Cut the drawings of every new .npz shard into regions."""
    new = [shard for shard in sorted(shards.glob("*.npz")) if not (cache / shard.stem / "done").exists()]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, cv2.setNumThreads, (1,)) as pool:
        added = sum(pool.map(prepare_shard, new, [cache / shard.stem for shard in new]))
    typer.echo(f"{added} sets added")


@app.command("look")
def look_at(
    cache: Cache,
    flats: Trained = None,
    base: Annotated[Path, typer.Option(help="The model whose flats are taken when no run is given.")] = SHIPPED / "mini",
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
) -> None:
    """Let the flats network look at every prepared set; the painted network learns from what it finds."""
    weights = ModelFolder(base).tensors("flats") if flats is None else averaged_weights(FlatsTask(Store(cache, ())), flats)
    network = Flats()
    network.load_state_dict({name: tensor.float() for name, tensor in weights.items()})
    typer.echo(f"{precompute_warps(network.to(torch.device(device)), cache)} sets looked at")


@app.command("foreground")
@app.command("painted")
@app.command("flats")
def train(
    context: typer.Context,
    cache: Cache,
    run: Annotated[Path, typer.Option(help="Folder of this run: checkpoint, log, curves, contact sheets.")],
    minutes: Annotated[float, typer.Option(help="Time for the whole run, interruptions not counted.")] = 40.0,
    more: Annotated[float, typer.Option(help="Instead: so many minutes from here, whatever the run has had.")] = 0.0,
    steps: Annotated[int, typer.Option(help="Instead: so many steps in the whole run.")] = 0,
    start: Annotated[Path | None, typer.Option(help="A model folder whose weights a new run begins with.")] = None,
    batch: Annotated[int, typer.Option(min=1, help="Sets in a batch.")] = 16,
    rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 8e-4,
    seed: int = 0,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    threads: Annotated[int, typer.Option(min=0, help="Compute threads; 0: torch's own choice.")] = 0,
    workers: Annotated[int, typer.Option(min=0, help="Processes that make batches ahead.")] = 0,
    compiled: Annotated[bool, typer.Option("--compile", help="Compile the network first (a GPU's gain).")] = False,
    save_minutes: Annotated[float, typer.Option(help="Time between two checkpoints.")] = 4.0,
) -> None:
    """Train this part of the model; goes on where it stopped when the run's folder holds a checkpoint."""
    part = str(context.command.name)
    store = Store(cache, HELD_OUT)
    if not store.refresh():
        raise typer.BadParameter("no prepared drawings in the cache")
    if part == "painted" and not all((done.parent / WARPED).exists() for done in cache.glob("*/done")):
        raise typer.BadParameter("the flats network has not looked at every drawing in the cache: linewash train look")
    recipe = TrainConfig(minutes=minutes, steps=steps, rate=rate, seed=seed, save_every_s=save_minutes * 60)
    training = Trainer(TASKS[part](store, batch), recipe, run, Hardware(device, threads, workers, compiled))
    if more:
        training.extend_budget(more)
    if start and training.progress.step == 0:
        training.load_weights(ModelFolder(start).tensors(part))
    training.train(sheet_of(part, cache))


@app.command()
def export(
    out: Annotated[Path, typer.Argument(help="Model folder to write.")],
    flats: Trained = None,
    painted: Trained = None,
    foreground: Trained = None,
    base: Annotated[Path, typer.Option(help="The model that parts without a run are taken from.")] = SHIPPED / "mini",
) -> None:
    """Write a model (safetensors, config, digests) from the newest checkpoints of runs."""
    given = {"flats": flats, "painted": painted, "foreground": foreground}
    runs = {part: run for part, run in given.items() if run is not None}
    nothing = Store(out, ())
    size = export_model({part: task(nothing, 1) for part, task in TASKS.items()}, runs, out, base)
    kept = ", ".join(part for part in given if part not in runs)
    typer.echo(f"{size / 1e6:.1f} MB of weights in {out}" + (f"; {kept} as in {base}" if kept else ""))


if __name__ == "__main__":
    app()
