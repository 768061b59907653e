"""What decides the result of a training run, and the hardware it runs on."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import torch

from backend.families.runtime.number_format import choose_number_format, device_has_bfloat16
from shared.devices.device_status import NumberFormat

if TYPE_CHECKING:
    from accelerate import Accelerator


ACCELERATE_NAMES = {NumberFormat.FLOAT32: "no", NumberFormat.BFLOAT16: "bf16", NumberFormat.FLOAT16: "fp16"}
"""What Accelerate calls the number formats."""


@dataclass(frozen=True)
class TrainConfig:
    """Budget, learning rate and optimizer of a training run.

    Training ends after ``minutes`` or ``steps``, whichever is given; the learning rate follows that budget.  With ``steps`` the
    result is a function of seed and data alone; with ``minutes`` it also depends on the speed of the machine.
    """

    minutes: float = math.inf
    """Time for the whole training run, interruptions not counted.  Ignored when ``steps`` is given."""
    steps: int = 0
    """Optimizer steps in the whole training run; 0: ``minutes`` is the budget."""
    learning_rate: float = 8e-4
    """The highest learning rate."""
    warmup_steps: int = 150
    """Steps in which the learning rate rises to its highest value."""
    final_rate_share: float = 0.02
    """Share of the highest learning rate that is left at the end; 1: the rate stays constant after the warm-up."""
    weight_decay: float = 0.02
    """AdamW's; biases and norms, the parameters of one dimension, do not decay."""
    betas: tuple[float, float] = (0.9, 0.98)
    """AdamW's."""
    ema_decay: float = 0.999
    """Decay of the exponential moving average (EMA) of the weights; 0: no average is kept."""
    batches_per_step: int = 0
    """Batches whose gradients one optimizer step accumulates, all processes together; 0: one for each process.

    The step is the same, up to rounding, however many processes share its batches.
    """
    max_grad_norm: float = 1.0
    """Gradients with a larger norm are scaled down to it; 0: never."""
    seed: int = 0
    """Of the initial weights and of all batches."""
    log_every: int = 25
    """Steps between two rows of the log."""
    save_every_s: float = 180.0
    """Seconds between two checkpoints."""

    def progress(self, step: int, seconds: float) -> float:
        """Share of the budget used: 0 at the start, 1 or more at the end."""
        return step / self.steps if self.steps else seconds / (self.minutes * 60)

    def learning_rate_at(self, step: int, progress: float) -> float:
        """Linear warm-up, then half a cosine down to ``final_rate_share``."""
        cosine = 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))
        warmup = min(1.0, (step + 1) / self.warmup_steps)
        return self.learning_rate * warmup * (self.final_rate_share + (1 - self.final_rate_share) * cosine)


@dataclass(frozen=True)
class Hardware:
    """Where a training run computes: this changes its speed and, on another machine, the last bits of its result.

    Under ``accelerate launch`` all processes share the training run, as Accelerate's own configuration says.
    """

    device: str = "auto"
    """cpu, cuda, or auto: CUDA where there is a GPU."""
    threads: int = 0
    """Compute threads; 0: torch's own choice."""
    workers: int = 0
    """Processes that make batches ahead; 0: the training process makes them."""
    compile_network: bool = False
    """Whether the network goes through torch.compile."""
    number_format: NumberFormat = NumberFormat.AUTOMATIC
    """Of autocast; the weights stay float32."""
    memory_format: torch.memory_format = torch.channels_last
    """Layout of the weights, and so of what convolutions return.

    Under DeepSpeed and FSDP, which flatten the weights, the layout is contiguous whatever this says.
    """

    def resolve_number_format(self, has_bfloat16: Callable[[str], bool] = device_has_bfloat16) -> NumberFormat:
        """What autocast computes in, never automatic: the same choice as when a painter's drawing is colored."""
        device = "cpu" if self._uses_cpu() else "cuda"
        # The weights are float32 in any case, so memory for that is there.
        return choose_number_format(device, self.number_format, has_bfloat16, lambda: True).number_format

    def create_accelerator(self) -> "Accelerator":
        """Accelerate for this device and number format.  Raises ValueError when the device does not exist here."""
        from accelerate import Accelerator

        if self.device not in ("auto", "cpu", "cuda") or (self.device == "cuda" and self._uses_cpu()):
            raise ValueError(f"there is no device {self.device!r} here; auto, cpu or, with an NVIDIA GPU, cuda")
        if self.threads:
            torch.set_num_threads(self.threads)
            cv2.setNumThreads(self.threads)
        return Accelerator(mixed_precision=ACCELERATE_NAMES[self.resolve_number_format()], cpu=self._uses_cpu())

    def _uses_cpu(self) -> bool:
        return self.device == "cpu" or not torch.cuda.is_available()


DEFAULT_HARDWARE = Hardware()
"""The hardware of a training run for which none is given."""
