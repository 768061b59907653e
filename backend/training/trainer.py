"""One training loop for all three networks: bf16 autocast, EMA, cosine learning rate, checkpoints that resume exactly."""

import csv
import math
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from accelerate import Accelerator
from diffusers.training_utils import EMAModel
from torch import Tensor, nn


class Task(Protocol):
    """What a network is trained on.  ``batch`` takes all its randomness from ``rng``."""

    store: Any

    def network(self) -> nn.Module:
        """A fresh network."""
        ...

    def batch(self, rng: np.random.Generator) -> Any:
        """The next batch: a NamedTuple of tensors."""
        ...

    def loss(self, network: Any, batch: Any) -> tuple[Tensor, dict[str, float]]:
        """What to minimise, and figures for the log."""
        ...


@dataclass(frozen=True)
class Recipe:
    """Training ends after ``minutes`` or ``steps``, whichever is given; the learning rate follows that budget.

    A run with ``steps`` is a function of seed and data alone; one with ``minutes`` also depends on the machine's speed.
    """

    minutes: float = math.inf
    steps: int = 0
    rate: float = 8e-4
    warmup: int = 150
    decay: float = 0.02
    seed: int = 0
    log_every: int = 25
    save_every_s: float = 180.0

    def progress(self, step: int, seconds: float) -> float:
        """Share of the budget used, 0..1 and above."""
        return step / self.steps if self.steps else seconds / (self.minutes * 60)

    def learning_rate(self, step: int, progress: float) -> float:
        """Warm-up, then half a cosine down to 2 %."""
        cosine = 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))
        return self.rate * min(1.0, (step + 1) / self.warmup) * (0.02 + 0.98 * cosine)


class Progress:
    """Where a run stands, random generator included; what a checkpoint keeps beside the weights."""

    def __init__(self, seed: int) -> None:
        self.step, self.seconds = 0, 0.0
        self.rng = np.random.default_rng(seed)

    def state_dict(self) -> dict[str, Any]:
        """Plain numbers."""
        return {"step": self.step, "seconds": self.seconds, "rng": self.rng.bit_generator.state}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The opposite of ``state_dict``."""
        self.step, self.seconds = state["step"], state["seconds"]
        self.rng.bit_generator.state = state["rng"]


class Run:
    """A training run in ``folder``; continues from its last checkpoint when there is one."""

    def __init__(self, task: Task, recipe: Recipe, folder: Path) -> None:
        self.task, self.recipe, self.folder = task, recipe, folder
        torch.manual_seed(recipe.seed)
        self.accelerator = Accelerator(mixed_precision="bf16")
        network = task.network().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        groups = [
            {"params": [p for p in network.parameters() if p.ndim > 1], "weight_decay": recipe.decay},
            {"params": [p for p in network.parameters() if p.ndim <= 1], "weight_decay": 0.0},
        ]
        optimizer = torch.optim.AdamW(groups, lr=recipe.rate, betas=(0.9, 0.98))
        self.network, self.optimizer = self.accelerator.prepare(network, optimizer)
        self.ema = EMAModel(self.network.parameters(), decay=0.999, use_ema_warmup=True, power=0.75, foreach=True)
        self.progress = Progress(recipe.seed)
        self.accelerator.register_for_checkpointing(self.ema, self.progress)
        self.checkpoint = folder / "checkpoint"
        if self.checkpoint.exists():
            self.accelerator.load_state(str(self.checkpoint))

    def step(self) -> dict[str, float]:
        """One optimiser step; loss and the task's figures."""
        here = self.progress
        rate = self.recipe.learning_rate(here.step, self.recipe.progress(here.step, here.seconds))
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        batch = _moved(self.task.batch(here.rng), self.accelerator.device)
        with self.accelerator.autocast():
            loss, figures = self.task.loss(self.network, batch)
        self.accelerator.backward(loss)
        self.accelerator.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.ema.step(self.network.parameters())
        here.step += 1
        return {"loss": float(loss.detach()), **figures}

    def train(self) -> None:
        """To the end of the budget; logs to stdout and ``log.csv``, saves checkpoints on the way and at the end."""
        self.folder.mkdir(parents=True, exist_ok=True)
        rows: list[dict[str, float]] = []
        clock = saved = time.monotonic()
        while self.recipe.progress(self.progress.step, self.progress.seconds) < 1:
            if self.progress.step % 25 == 0:
                self.task.store.refresh()
            rows.append(self.step())
            now = time.monotonic()
            self.progress.seconds, clock = self.progress.seconds + now - clock, now
            if self.progress.step % self.recipe.log_every == 0:
                self._log(rows)
                rows = []
            if now - saved > self.recipe.save_every_s:
                self.save()
                saved = now
        self.save()

    def save(self) -> None:
        """Write the checkpoint, and then swap it in: an interrupted save leaves the last one whole."""
        fresh = self.folder / "checkpoint.new"
        shutil.rmtree(fresh, ignore_errors=True)
        self.accelerator.save_state(str(fresh))
        shutil.rmtree(self.checkpoint, ignore_errors=True)
        fresh.rename(self.checkpoint)

    def averaged(self) -> dict[str, Tensor]:
        """The network's weights with the EMA's in place of the last step's; (name, tensor) as ``state_dict`` gives them."""
        state = {k: v.detach().clone() for k, v in self.network.state_dict().items()}
        names = [name for name, _ in self.network.named_parameters()]
        state.update(zip(names, (p.detach().clone() for p in self.ema.shadow_params), strict=True))
        return state

    def _log(self, rows: list[dict[str, float]]) -> None:
        means = {k: float(np.nanmean([r[k] for r in rows])) for k in rows[0]}
        row = {"step": self.progress.step, "seconds": round(self.progress.seconds, 1), "sets": len(self.task.store), **means}
        print(" ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items()), flush=True)
        path = self.folder / "log.csv"
        new = not path.exists()
        with path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(row))
            if new:
                writer.writeheader()
            writer.writerow(row)


def _moved(batch: Any, device: torch.device) -> Any:
    """A NamedTuple of tensors, NamedTuples and plain numbers, on ``device``."""
    if isinstance(batch, Tensor):
        return batch.to(device)
    if isinstance(batch, tuple):
        return type(batch)(*(_moved(value, device) for value in batch))  # type: ignore[arg-type]
    return batch
