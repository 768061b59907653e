"""One training loop for all three networks: bf16 autocast, EMA, cosine learning rate, checkpoints that resume exactly."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from diffusers.training_utils import EMAModel
from rich.console import Console
from torch import Tensor, nn

from backend.families.loading import moved
from backend.imaging.types import Rgb
from backend.training.batches import batches
from backend.training.checkpoints import newest, swap_in
from backend.training.recipe import ANY_MACHINE, Machine, Recipe
from backend.training.recording import Record

Sheet = Callable[[nn.Module], Rgb | None]
"""Draws validation pictures with a network; None when there are none to draw."""


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


class Progress:
    """Where a run stands; what a checkpoint keeps beside the weights."""

    def __init__(self) -> None:
        self.step, self.seconds = 0, 0.0

    def state_dict(self) -> dict[str, Any]:
        """Plain numbers."""
        return {"step": self.step, "seconds": self.seconds}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The opposite of ``state_dict``; other keys, which older checkpoints have, are left alone."""
        self.step, self.seconds = state["step"], state["seconds"]


class Run:
    """A training run in ``folder``; continues from its last checkpoint when there is one."""

    def __init__(self, task: Task, recipe: Recipe, folder: Path, machine: Machine = ANY_MACHINE) -> None:
        self.task, self.recipe, self.folder, self.machine = task, recipe, folder, machine
        torch.manual_seed(recipe.seed)
        self.accelerator = machine.accelerator()
        network = task.network().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        groups = [
            {"params": [p for p in network.parameters() if p.ndim > 1], "weight_decay": recipe.decay},
            {"params": [p for p in network.parameters() if p.ndim <= 1], "weight_decay": 0.0},
        ]
        optimizer = torch.optim.AdamW(groups, lr=recipe.rate, betas=(0.9, 0.98))
        self.network, self.optimizer = self.accelerator.prepare(network, optimizer)
        if machine.compiled:
            self.network.compile(dynamic=True)  # in place, so that a checkpoint's names stay what they are
        self.ema = EMAModel(self.network.parameters(), decay=0.999, use_ema_warmup=True, power=0.75, foreach=True)
        self.progress = Progress()
        self.accelerator.register_for_checkpointing(self.ema, self.progress)
        self._batches: Iterator[Any] | None = None
        found = newest(folder)
        if found:
            self.accelerator.load_state(str(found))
            self.ema.to(self.accelerator.device)  # Accelerate reads what it does not know to the CPU

    def start_from(self, weights: dict[str, Tensor]) -> None:
        """Begin with these weights, e.g. a shipped model's.  Raises RuntimeError when names or shapes do not fit."""
        self.network.load_state_dict({name: tensor.float() for name, tensor in weights.items()})
        self.ema.shadow_params = [p.detach().clone() for p in self.network.parameters()]

    def step(self) -> dict[str, float]:
        """One optimiser step; loss and the task's figures."""
        here = self.progress
        rate = self.recipe.learning_rate(here.step, self.recipe.progress(here.step, here.seconds))
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        batch = moved(self._batch(), self.accelerator.device)
        with self.accelerator.autocast():
            loss, figures = self.task.loss(self.network, batch)
        self.accelerator.backward(loss)
        self.accelerator.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.ema.step(self.network.parameters())
        here.step += 1
        return {"loss": float(loss.detach()), **figures}

    def train(self, sheet: Sheet | None = None) -> None:
        """To the end of the budget: figures, checkpoints and, with each of them, a contact sheet."""
        rows: list[dict[str, float]] = []
        clock = saved = time.monotonic()
        with Record(self.folder, self.progress.step, Console()) as record:
            while (share := self._share()) < 1:
                rows.append(self.step())
                now = time.monotonic()
                self.progress.seconds, clock = self.progress.seconds + now - clock, now
                record.advance(share)
                ended = self._share() >= 1
                if ended or self.progress.step % self.recipe.log_every == 0:
                    record.log(self.progress.step, self.progress.seconds, {"sets": self.task.store.refresh(), **_means(rows)})
                    rows = []
                if ended or now - saved >= self.recipe.save_every_s:
                    self.save()
                    picture = self._shown(sheet) if sheet else None
                    if picture is not None:
                        record.sheet(self.progress.step, picture)
                    saved = time.monotonic()
        self._batches = None  # ends the processes that make batches

    def go_on(self, minutes: float) -> None:
        """Give the run so many minutes from here, whatever it has had."""
        self.recipe = replace(self.recipe, steps=0, minutes=self.progress.seconds / 60 + minutes)

    def save(self) -> None:
        """Write a checkpoint; an interrupted save leaves the last one whole."""
        swap_in(self.folder, lambda fresh: self.accelerator.save_state(str(fresh)))

    def averaged(self) -> dict[str, Tensor]:
        """The network's weights with the EMA's in place of the last step's; (name, tensor) as ``state_dict`` gives them."""
        state = {k: v.detach().clone() for k, v in self.network.state_dict().items()}
        names = [name for name, _ in self.network.named_parameters()]
        state.update(zip(names, (p.detach().clone() for p in self.ema.shadow_params), strict=True))
        return state

    def _share(self) -> float:
        return self.recipe.progress(self.progress.step, self.progress.seconds)

    def _batch(self) -> Any:
        if self._batches is None:
            pinned = self.accelerator.device.type == "cuda"
            self._batches = batches(self.task, self.recipe.seed, self.progress.step, self.machine.workers, pinned)
        return next(self._batches)

    def _shown(self, sheet: Sheet) -> Rgb | None:
        """What the averaged weights draw; the network is as before afterwards."""
        parameters = list(self.network.parameters())
        self.ema.store(parameters)
        self.ema.copy_to(parameters)
        self.network.eval()
        try:
            with torch.no_grad(), self.accelerator.autocast():
                return sheet(self.network)
        finally:
            self.network.train()
            self.ema.restore(parameters)


def _means(rows: list[dict[str, float]]) -> dict[str, float]:
    """Mean of each figure over the rows that have it."""
    known = {name: [row[name] for row in rows if np.isfinite(row[name])] for name in rows[0]}
    return {name: float(np.mean(values)) if values else float("nan") for name, values in known.items()}
