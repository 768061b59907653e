"""What decides a run's result, and where it is computed."""

import math
from dataclasses import dataclass

import cv2
import torch
from accelerate import Accelerator


@dataclass(frozen=True)
class TrainConfig:
    """Training ends after ``minutes`` or ``steps``, whichever is given; the learning rate follows that budget.

    A run with ``steps`` is a function of seed and data alone; one with ``minutes`` also depends on the machine's speed.
    last: share of the highest rate that is left at the end; 1 keeps it constant.  betas: AdamW's.  average: decay of the
    averaged weights, 0 = none are kept.  parts: batches in a step, 0 = one for each process; a step of so many parts is the
    same, to rounding, however many processes share them.  clip: longest gradient, longer ones are shortened to it; 0 = never.
    """

    minutes: float = math.inf
    steps: int = 0
    rate: float = 8e-4
    warmup: int = 150
    last: float = 0.02
    decay: float = 0.02
    betas: tuple[float, float] = (0.9, 0.98)
    average: float = 0.999
    parts: int = 0
    clip: float = 1.0
    seed: int = 0
    log_every: int = 25
    save_every_s: float = 180.0

    def progress(self, step: int, seconds: float) -> float:
        """Share of the budget used, 0..1 and above."""
        return step / self.steps if self.steps else seconds / (self.minutes * 60)

    def learning_rate(self, step: int, progress: float) -> float:
        """Warm-up, then half a cosine down to ``last``."""
        cosine = 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))
        return self.rate * min(1.0, (step + 1) / self.warmup) * (self.last + (1 - self.last) * cosine)


@dataclass(frozen=True)
class Hardware:
    """Where a run computes; it changes speed, and on another machine the last bits, but nothing else.

    device: auto (CUDA where there is one), cpu or cuda.  threads: compute threads, 0 = torch's own choice.  workers: processes
    that make batches ahead.  compiled: through torch.compile.  precision: bf16, fp16 or no (float32).  layout: of weights, and
    so of what convolutions make; DeepSpeed and FSDP, which flatten weights, take the contiguous one whatever it says.

    Under ``accelerate launch`` the run is shared by all processes, as Accelerate's own configuration says.
    """

    device: str = "auto"
    threads: int = 0
    workers: int = 0
    compiled: bool = False
    precision: str = "bf16"
    layout: torch.memory_format = torch.channels_last

    def accelerator(self) -> Accelerator:
        """Autocast on that device.  Raises ValueError when it is not there."""
        found = torch.cuda.is_available()
        if self.device not in ("auto", "cpu", "cuda") or (self.device == "cuda" and not found):
            raise ValueError(f"there is no device {self.device!r} here; auto, cpu or, with an NVIDIA GPU, cuda")
        if self.threads:
            torch.set_num_threads(self.threads)
            cv2.setNumThreads(self.threads)
        return Accelerator(mixed_precision=self.precision, cpu=self.device == "cpu" or not found)


ANY_MACHINE = Hardware()
"""What a run computes on when nobody says otherwise."""
