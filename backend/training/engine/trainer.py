"""One training loop for all networks: autocast, EMA, learning rate, several processes, checkpoints that resume exactly."""

import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from accelerate.utils import broadcast
from diffusers.training_utils import EMAModel
from rich.console import Console
from torch import Tensor, nn

from backend.families.runtime.network_loader import to_device
from backend.imaging.types import Rgb
from backend.training.engine.batches import batches
from backend.training.engine.checkpoints import fresh, newest, swap_in
from backend.training.engine.config import ANY_MACHINE, Hardware, TrainConfig
from backend.training.engine.distributed import configure_deepspeed, is_sharded, is_wrapped, validate
from backend.training.engine.run_log import RunLog

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
        """What to minimize, and figures for the log."""
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


class Trainer:
    """A training run in ``folder``; continues from its last checkpoint when there is one."""

    def __init__(self, task: Task, recipe: TrainConfig, folder: Path, machine: Hardware = ANY_MACHINE) -> None:
        self.task, self.recipe, self.folder, self.machine = task, recipe, folder, machine
        torch.manual_seed(recipe.seed)
        self.accelerator = machine.accelerator()
        layout = torch.contiguous_format if is_wrapped(self.accelerator) else machine.layout  # both flatten weights
        network = task.network().to(memory_format=layout)  # type: ignore[call-overload]
        trained = [p for p in network.parameters() if p.requires_grad]
        groups = [
            {"params": [p for p in trained if p.ndim > 1], "weight_decay": recipe.decay},
            {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
        ]
        optimizer = torch.optim.AdamW(groups, lr=recipe.rate, betas=recipe.betas)
        self._parts = batches_of_step(recipe.parts, self.accelerator.num_processes)
        self._configure_accelerator()
        self.network, self.optimizer = self.accelerator.prepare(network, optimizer)
        if machine.compiled:
            self.network.compile(dynamic=True)  # in place, so that a checkpoint's names stay what they are
        self.ema = _averaging(self.plain, recipe.average)
        self.progress = Progress()
        self.accelerator.register_for_checkpointing(*([self.ema] if self.ema else []), self.progress)
        self._batches: Iterator[Any] | None = None
        with self.accelerator.main_process_first():  # it may have to finish what was interrupted
            found = newest(folder)
        if found:
            self.accelerator.load_state(str(found))
            if self.ema:
                self.ema.to(self.accelerator.device)  # Accelerate reads what it does not know to the CPU

    @property
    def plain(self) -> nn.Module:
        """The network without what several processes wrap around it."""
        return self.accelerator.unwrap_model(self.network)

    def _configure_accelerator(self) -> None:
        """What Accelerate cannot know, as there is no data loader.  ValueError for what cannot be where weights are spread."""
        validate(self.accelerator, self.recipe.average)
        plugin = self.accelerator.deepspeed_plugin
        if plugin is not None:
            pictures = len(self.task.batch(np.random.default_rng(self.recipe.seed))[0])
            mine, processes = self._parts // self.accelerator.num_processes, self.accelerator.num_processes
            self.accelerator.gradient_accumulation_steps = mine
            configure_deepspeed(plugin.deepspeed_config, pictures, mine, processes, self.recipe.clip, self.machine.precision)

    def load_weights(self, weights: dict[str, Tensor]) -> None:
        """Begin with these weights, e.g. a shipped model's.

        Raises RuntimeError when names or shapes do not fit, ValueError where DeepSpeed or FSDP have taken the weights over.
        """
        if is_wrapped(self.accelerator):
            raise ValueError("with DeepSpeed or FSDP a run cannot begin with other weights than the network's own")
        self.plain.load_state_dict({name: tensor.float() for name, tensor in weights.items()})
        if self.ema:
            self.ema.shadow_params = [p.detach().clone() for p in self.plain.parameters()]

    def step(self) -> dict[str, float]:
        """One optimizer step; loss and the task's figures, the means over this process' batches.

        Batches count, but nothing is learned from them, when the loss of one is no number.
        """
        here = self.progress
        rate = self.recipe.learning_rate(here.step, self.recipe.progress(here.step, here.seconds))
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        mine = self._parts // self.accelerator.num_processes
        self.accelerator.gradient_accumulation_steps = mine  # ``backward`` divides by it; all runs of a process share it
        rows = [self._backward(last=number == mine - 1) for number in range(mine)]
        if self._losses_finite(rows):
            if self.recipe.clip:
                self.accelerator.clip_grad_norm_(self.network.parameters(), self.recipe.clip)
            self.optimizer.step()
            if self.ema:
                self.ema.step(self.plain.parameters())
        self.optimizer.zero_grad(set_to_none=True)
        here.step += 1
        return _means(rows)

    def _backward(self, last: bool) -> dict[str, float]:
        """Gradients of one batch; the last one of a step hears those of other processes, too."""
        batch = to_device(self._batch(), self.accelerator.device)
        self.accelerator.sync_gradients = last  # DeepSpeed takes its step in ``backward`` where this holds
        with nullcontext() if last else self.accelerator.no_sync(self.network):
            with self.accelerator.autocast():
                loss, figures = self.task.loss(self.network, batch)
            self.accelerator.backward(loss)
        return {"loss": float(loss.detach()), **figures}

    def _losses_finite(self, rows: list[dict[str, float]]) -> bool:
        """Whether the losses of all processes are numbers; gradients of one that is none would make every weight none."""
        if self.accelerator.scaler is not None:  # with fp16 it passes such steps over itself, and learns from them
            return True
        wrong = sum(not np.isfinite(row["loss"]) for row in rows)
        if self.accelerator.num_processes > 1:
            counted = torch.tensor(float(wrong), device=self.accelerator.device)
            wrong = int(self.accelerator.reduce(counted, "sum").item())  # type: ignore[union-attr]
        return wrong == 0

    def train(self, sheet: Sheet | None = None) -> None:
        """To the end of the budget: figures, checkpoints and, with each of them, a contact sheet.

        ValueError when a sheet is asked for where no process has all weights.
        """
        if sheet and is_sharded(self.accelerator):
            raise ValueError("no pictures can be drawn where the weights are spread over processes: leave out --validation")
        rows: list[dict[str, float]] = []
        clock, saved = time.monotonic(), self.progress.seconds
        main = self.accelerator.is_main_process
        with RunLog(self.folder, self.progress.step, Console()) if main else nullcontext() as record:
            while (share := self._share()) < 1:
                rows.append(self.step())
                now = time.monotonic()
                self.progress.seconds, clock = self._broadcast([self.progress.seconds + now - clock])[0], now
                ended = self._share() >= 1
                if record:
                    record.advance(share)
                if ended or self.progress.step % self.recipe.log_every == 0:
                    figures = self._agreed_means(rows)
                    rows, sets = [], self.task.store.refresh()
                    if record:
                        record.log(self.progress.step, self.progress.seconds, {"sets": sets, **figures})
                if ended or self.progress.seconds - saved >= self.recipe.save_every_s:
                    self.save()
                    picture = self._shown(sheet) if sheet and record else None
                    if picture is not None and record:
                        record.sheet(self.progress.step, picture)
                    self.accelerator.wait_for_everyone()
                    saved = self.progress.seconds
        self._batches = None  # ends the processes that make batches

    def extend_budget(self, minutes: float) -> None:
        """Give the run so many minutes from here, whatever it has had."""
        self.recipe = replace(self.recipe, steps=0, minutes=self.progress.seconds / 60 + minutes)

    def save(self) -> None:
        """Write a checkpoint; an interrupted save leaves the last one whole."""
        if self.accelerator.is_main_process:
            swap_in(self.folder, self._write)
        else:
            self._write(fresh(self.folder))
        self.accelerator.wait_for_everyone()

    def _write(self, folder: Path) -> None:
        """All processes at once: what is spread over them is written by each."""
        self.accelerator.wait_for_everyone()
        self.accelerator.save_state(str(folder))
        self.accelerator.wait_for_everyone()

    def averaged(self) -> dict[str, Tensor]:
        """The network's weights with the EMA's in place of the last step's; (name, tensor) as ``state_dict`` gives them."""
        state = {k: v.detach().clone() for k, v in self.plain.state_dict().items()}
        if self.ema:
            names = [name for name, _ in self.plain.named_parameters()]
            state.update(zip(names, (p.detach().clone() for p in self.ema.shadow_params), strict=True))
        return state

    def _broadcast(self, values: list[float]) -> list[float]:
        """The first process' numbers: clocks differ, and all must end and save at the same step."""
        if self.accelerator.num_processes == 1:
            return values
        return broadcast(torch.tensor(values, dtype=torch.float64, device=self.accelerator.device)).tolist()  # type: ignore[union-attr]

    def _agreed_means(self, rows: list[dict[str, float]]) -> dict[str, float]:
        """Means over the rows of all processes."""
        means = _means(rows)
        if self.accelerator.num_processes == 1:
            return means
        values = torch.tensor(list(means.values()), device=self.accelerator.device)
        return dict(zip(means, self.accelerator.reduce(values, "mean").tolist(), strict=True))  # type: ignore[union-attr]

    def _share(self) -> float:
        return self.recipe.progress(self.progress.step, self.progress.seconds)

    def _batch(self) -> Any:
        if self._batches is None:
            pinned, many = self.accelerator.device.type == "cuda", self.accelerator.num_processes
            first = self.progress.step * self._parts + self.accelerator.process_index
            self._batches = batches(self.task, self.recipe.seed, first, self.machine.workers, pinned, many)
        return next(self._batches)

    def _shown(self, sheet: Sheet) -> Rgb | None:
        """What the averaged weights draw; the network is as before afterwards."""
        parameters = list(self.plain.parameters())
        if self.ema:
            self.ema.store(parameters)
            self.ema.copy_to(parameters)
        self.plain.eval()
        try:
            with torch.no_grad(), self.accelerator.autocast():
                return sheet(self.plain)
        finally:
            self.plain.train()
            if self.ema:
                self.ema.restore(parameters)


def batches_of_step(parts: int, processes: int) -> int:
    """How many batches the processes share in a step: ``parts``, or one for each.  ValueError when they cannot evenly."""
    found = parts or processes
    if found % processes:
        raise ValueError(f"{found} batches a step cannot be shared evenly by {processes} processes")
    return found


def _averaging(network: nn.Module, decay: float) -> EMAModel | None:
    if not decay:
        return None
    return EMAModel(network.parameters(), decay=decay, use_ema_warmup=True, power=0.75, foreach=True)


def _means(rows: list[dict[str, float]]) -> dict[str, float]:
    """Mean of each figure over the rows that have it."""
    known = {name: [row[name] for row in rows if np.isfinite(row[name])] for name in rows[0]}
    return {name: float(np.mean(values)) if values else float("nan") for name, values in known.items()}
