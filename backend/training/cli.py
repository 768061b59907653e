"""``python -m backend.training.cli``: prepare, train, export."""

from pathlib import Path
from typing import Annotated

import cv2
import torch
import typer

from backend.training.export import export_model
from backend.training.flats_task import FlatsTask
from backend.training.foreground_task import ForegroundTask
from backend.training.painted_task import PaintedTask
from backend.training.prepare import prepare_new
from backend.training.store import Store
from backend.training.trainer import Recipe, Run, Task

app = typer.Typer(no_args_is_help=True, help="Train the mini model.")

HELD_OUT = ("mage/", "drawn/storybook")
"""Sources that training never sees; they are for measuring."""
TASKS = {"flats": FlatsTask, "painted": PaintedTask, "foreground": ForegroundTask}

Cache = Annotated[Path, typer.Option(help="Folder of prepared shards.")]


@app.command()
def prepare(shards: Path, cache: Cache) -> None:
    """Cut the drawings of every new .npz shard into regions."""
    cv2.setNumThreads(1)
    typer.echo(f"{prepare_new(shards, cache)} sets added")


@app.command()
def train(
    part: str,
    cache: Cache,
    run: Annotated[Path, typer.Option(help="Folder of this run: checkpoint and log.")],
    minutes: float = 40.0,
    batch: int = 16,
    rate: float = 8e-4,
    seed: int = 0,
) -> None:
    """Train flats, painted or foreground; continues the run when its folder holds a checkpoint."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    store = Store(cache, HELD_OUT)
    if not store.refresh():
        raise typer.BadParameter("no prepared shard in the cache")
    task: Task = TASKS[part](store, batch)
    Run(task, Recipe(minutes=minutes, rate=rate, seed=seed), run).train()


@app.command()
def export(flats: Path, painted: Path, foreground: Path, out: Path) -> None:
    """Write the model (safetensors, config, digests) from the three runs' checkpoints."""
    nothing = Store(out, ())
    tasks: dict[str, Task] = {part: task(nothing) for part, task in TASKS.items()}
    size = export_model(tasks, {"flats": flats, "painted": painted, "foreground": foreground}, out)
    typer.echo(f"{size / 1e6:.1f} MB of weights in {out}")


if __name__ == "__main__":
    app()
