"""One training loop for all networks: autocast, EMA, learning rate, several processes, checkpoints that resume exactly."""

import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate.utils import broadcast
from diffusers.training_utils import EMAModel
from rich.console import Console
from torch import Tensor, nn

from backend.families.runtime.devices import to_device
from backend.imaging.types import Rgb
from backend.training.engine.batches import iterate_batches
from backend.training.engine.checkpoints import find_checkpoint, replace_checkpoint, staging_folder
from backend.training.engine.config import DEFAULT_HARDWARE, Hardware, TrainConfig
from backend.training.engine.distributed import configure_deepspeed, is_sharded, is_wrapped, validate
from backend.training.engine.run_log import RunLog
from backend.training.engine.task import SheetRenderer, Task


class Progress:
    """How far a training run has come; saved in its checkpoints beside the weights."""

    def __init__(self) -> None:
        self.step, self.seconds = 0, 0.0

    def state_dict(self) -> dict[str, Any]:
        """Plain numbers."""
        return {"step": self.step, "seconds": self.seconds}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The inverse of ``state_dict``."""
        self.step, self.seconds = state["step"], state["seconds"]


class Trainer:
    """A training run in ``folder``; continues from the last checkpoint there, if any.

    Raises ValueError when the device does not exist here, or when the task cannot be trained as Accelerate is configured.
    """

    def __init__(self, task: Task, config: TrainConfig, folder: Path, hardware: Hardware = DEFAULT_HARDWARE) -> None:
        self.task, self.config, self.folder, self.hardware = task, config, folder, hardware
        # Before the network is created, as its initial weights depend on it.
        torch.manual_seed(config.seed)
        self.accelerator = hardware.create_accelerator()
        # DeepSpeed and FSDP flatten the weights, which needs the contiguous layout
        memory_format = torch.contiguous_format if is_wrapped(self.accelerator) else hardware.memory_format
        network = task.network().to(memory_format=memory_format)  # type: ignore[call-overload]
        optimizer = _create_optimizer(network, config)
        batches = resolve_batches_per_step(config.batches_per_step, self.accelerator.num_processes)
        self._batches_per_step, self._accumulation_steps = batches, batches // self.accelerator.num_processes
        self._configure_accelerator()
        self.network, self.optimizer = self.accelerator.prepare(network, optimizer)
        if hardware.compile_network:
            self.network.compile(dynamic=True)  # in place, so that the names in checkpoints do not change
        self.ema = _create_ema(self.unwrapped_network, config.ema_decay)
        self.progress = Progress()
        self.accelerator.register_for_checkpointing(*([self.ema] if self.ema else []), self.progress)
        self._batches: Iterator[Any] | None = None
        with self.accelerator.main_process_first():  # it may have to finish an interrupted replacement
            checkpoint = find_checkpoint(folder)
        if checkpoint:
            self.accelerator.load_state(str(checkpoint))
            if self.ema:
                self.ema.to(self.accelerator.device)  # Accelerate loads registered objects to the CPU

    @property
    def unwrapped_network(self) -> nn.Module:
        """The network without the wrapper for several processes."""
        return self.accelerator.unwrap_model(self.network)

    def _configure_accelerator(self) -> None:
        """Tell Accelerate what it would otherwise ask a data loader.  Raises ValueError: see ``distributed.validate``."""
        validate(self.accelerator, self.config.ema_decay)
        plugin = self.accelerator.deepspeed_plugin
        if plugin is not None:
            self.accelerator.gradient_accumulation_steps = self._accumulation_steps
            configure_deepspeed(
                plugin.deepspeed_config,
                batch_size=len(self.task.batch(np.random.default_rng(self.config.seed))[0]),
                accumulation_steps=self._accumulation_steps,
                processes=self.accelerator.num_processes,
                max_grad_norm=self.config.max_grad_norm,
                number_format=self.hardware.resolve_number_format(),
            )

    def load_weights(self, weights: dict[str, Tensor]) -> None:
        """Start from these weights, e.g. those of a shipped model.

        Raises RuntimeError when names or shapes do not fit, ValueError when DeepSpeed or FSDP hold the weights already.
        """
        if is_wrapped(self.accelerator):
            raise ValueError("with DeepSpeed or FSDP a run cannot begin with other weights than the network's own")
        self.unwrapped_network.load_state_dict({name: tensor.float() for name, tensor in weights.items()})
        if self.ema:
            self.ema.shadow_params = [p.detach().clone() for p in self.unwrapped_network.parameters()]

    def step(self) -> dict[str, float]:
        """Take one optimizer step; returns loss and metrics, averaged over the batches of this process.

        When the loss of a batch is not finite the step is counted, but the weights stay as they are.
        """
        progress = self.progress
        rate = self.config.learning_rate_at(progress.step, self.config.progress(progress.step, progress.seconds))
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        # ``accelerator.backward`` divides by this; it is shared by all trainers of a process, so it is set in each step
        self.accelerator.gradient_accumulation_steps = self._accumulation_steps
        metrics = [self._backward(is_last=i == self._accumulation_steps - 1) for i in range(self._accumulation_steps)]
        if self._losses_finite(metrics):
            if self.config.max_grad_norm:
                self.accelerator.clip_grad_norm_(self.network.parameters(), self.config.max_grad_norm)
            self.optimizer.step()
            if self.ema:
                self.ema.step(self.unwrapped_network.parameters())
        self.optimizer.zero_grad(set_to_none=True)
        progress.step += 1
        return _mean_metrics(metrics)

    def _backward(self, is_last: bool) -> dict[str, float]:
        """Forward and backward pass of one batch; only the last one of a step exchanges gradients between processes."""
        batch = to_device(self._next_batch(), self.accelerator.device)
        self.accelerator.sync_gradients = is_last  # where this holds, DeepSpeed's ``backward`` also takes its step
        with nullcontext() if is_last else self.accelerator.no_sync(self.network):
            with self.accelerator.autocast():
                loss, metrics = self.task.loss(self.network, batch)
            self.accelerator.backward(loss)
        return {"loss": float(loss.detach()), **metrics}

    def _losses_finite(self, metrics: list[dict[str, float]]) -> bool:
        """Whether the losses of all processes are finite: the gradients of one that is not would ruin all weights."""
        if self.accelerator.scaler is not None:  # with fp16 the gradient scaler skips such steps and lowers its scale
            return True
        bad_losses = sum(not np.isfinite(row["loss"]) for row in metrics)
        if self.accelerator.num_processes > 1:
            count = torch.tensor(float(bad_losses), device=self.accelerator.device)
            bad_losses = int(self.accelerator.reduce(count, "sum").item())  # type: ignore[union-attr]
        return bad_losses == 0

    def train(self, render_sheet: SheetRenderer | None = None) -> None:
        """Train to the end of the budget, with logs, checkpoints and, at each checkpoint, a contact sheet.

        Raises ValueError when a sheet is asked for and no process has all weights to draw it with.
        """
        if render_sheet and is_sharded(self.accelerator):
            raise ValueError("no images can be drawn where the weights are spread over processes: leave out --validation")
        metrics: list[dict[str, float]] = []
        clock, saved_at = time.monotonic(), self.progress.seconds
        is_main = self.accelerator.is_main_process
        with RunLog(self.folder, self.progress.step, Console()) if is_main else nullcontext() as log:
            while (share := self._budget_share()) < 1:
                metrics.append(self.step())
                now = time.monotonic()
                # clocks differ: all processes follow the first one's, so that all log, save and end at the same step
                self.progress.seconds, clock = self._broadcast([self.progress.seconds + now - clock])[0], now
                is_done = self._budget_share() >= 1
                if log:
                    log.advance(share)
                if is_done or self.progress.step % self.config.log_every == 0:
                    means = self._reduce_means(metrics)
                    metrics, examples = [], self.task.dataset.refresh()
                    if log:
                        log.log(self.progress.step, self.progress.seconds, {"examples": examples, **means})
                if is_done or self.progress.seconds - saved_at >= self.config.save_every_s:
                    self.save()
                    sheet = self._render_averaged(render_sheet) if render_sheet and log else None
                    if sheet is not None and log:
                        log.save_sheet(self.progress.step, sheet)
                    self.accelerator.wait_for_everyone()
                    saved_at = self.progress.seconds
        self._batches = None  # ends the processes that make batches

    def extend_budget(self, minutes: float) -> None:
        """Give the training run so many minutes from here, whatever it has had."""
        self.config = replace(self.config, steps=0, minutes=self.progress.seconds / 60 + minutes)

    def save(self) -> None:
        """Write a checkpoint; an interrupted save leaves the previous one complete."""
        if self.accelerator.is_main_process:
            replace_checkpoint(self.folder, self._save_state)
        else:
            self._save_state(staging_folder(self.folder))
        self.accelerator.wait_for_everyone()

    def _save_state(self, folder: Path) -> None:
        """All processes at once: where the weights are sharded each process writes its part."""
        self.accelerator.wait_for_everyone()
        # Between two barriers: the folder is emptied before, and renamed after, all processes write.
        self.accelerator.save_state(str(folder))
        self.accelerator.wait_for_everyone()

    def averaged_state(self) -> dict[str, Tensor]:
        """The network's ``state_dict`` with the EMA of the weights, where one is kept, in place of the last step's weights."""
        state = {k: v.detach().clone() for k, v in self.unwrapped_network.state_dict().items()}
        if self.ema:
            names = [name for name, _ in self.unwrapped_network.named_parameters()]
            state.update(zip(names, (p.detach().clone() for p in self.ema.shadow_params), strict=True))
        return state

    def _broadcast(self, values: list[float]) -> list[float]:
        """The values of the first process, in all processes."""
        if self.accelerator.num_processes == 1:
            return values
        return broadcast(torch.tensor(values, dtype=torch.float64, device=self.accelerator.device)).tolist()  # type: ignore[union-attr]

    def _reduce_means(self, metrics: list[dict[str, float]]) -> dict[str, float]:
        """Mean of each metric over the rows of all processes."""
        means = _mean_metrics(metrics)
        if self.accelerator.num_processes == 1:
            return means
        values = torch.tensor(list(means.values()), device=self.accelerator.device)
        return dict(zip(means, self.accelerator.reduce(values, "mean").tolist(), strict=True))  # type: ignore[union-attr]

    def _budget_share(self) -> float:
        return self.config.progress(self.progress.step, self.progress.seconds)

    def _next_batch(self) -> Any:
        """The next batch of this process; all processes together go through the batches by number."""
        if self._batches is None:
            self._batches = iterate_batches(
                self.task,
                self.config.seed,
                start=self.progress.step * self._batches_per_step + self.accelerator.process_index,
                workers=self.hardware.workers,
                pin_memory=self.accelerator.device.type == "cuda",
                stride=self.accelerator.num_processes,
            )
        return next(self._batches)

    def _render_averaged(self, render_sheet: SheetRenderer) -> Rgb | None:
        """A contact sheet drawn with the averaged weights; afterwards the network is as before."""
        parameters = list(self.unwrapped_network.parameters())
        if self.ema:
            self.ema.store(parameters)
            self.ema.copy_to(parameters)
        self.unwrapped_network.eval()
        try:
            with torch.no_grad(), self.accelerator.autocast():
                return render_sheet(self.unwrapped_network)
        finally:
            self.unwrapped_network.train()
            if self.ema:
                self.ema.restore(parameters)


def resolve_batches_per_step(wanted: int, processes: int) -> int:
    """Batches of all processes in one step: ``wanted``, or one for each process when that is 0.

    Raises ValueError when the processes cannot share them evenly.
    """
    batches = wanted or processes
    if batches % processes:
        raise ValueError(f"{batches} batches a step cannot be shared evenly by {processes} processes")
    return batches


def _create_optimizer(network: nn.Module, config: TrainConfig) -> torch.optim.AdamW:
    """AdamW; weight decay leaves biases and norms alone."""
    trained = [p for p in network.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=config.betas)


def _create_ema(network: nn.Module, decay: float) -> EMAModel | None:
    """The moving average of the weights, None when ``decay`` is 0."""
    if not decay:
        return None
    return EMAModel(network.parameters(), decay=decay, use_ema_warmup=True, power=0.75, foreach=True)


def _mean_metrics(rows: list[dict[str, float]]) -> dict[str, float]:
    """Mean of each metric over the rows in which it is finite, NaN when there are none."""
    finite = {name: [row[name] for row in rows if np.isfinite(row[name])] for name in rows[0]}
    return {name: float(np.mean(values)) if values else float("nan") for name, values in finite.items()}
