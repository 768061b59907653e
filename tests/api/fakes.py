"""A registry of small models for server tests: one that colors, and one for every way to go wrong.

The worker loads it through the public ``registry`` setting.  No torch model; regions get the reference's mean color.
"""

import errno
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backend.contract.drawing import Colors, Drawing, ProgressCallback, StepProgress
from backend.contract.family import ModelSpec
from backend.families.common_parameters import resolve_parameters
from shared.devices.device_status import PROCESSOR, DeviceInfo, DeviceReport, NumberFormat
from shared.errors import ErrorCode, LinewashError
from shared.model_spec import NEEDS_BACKGROUND_REFERENCE, ModeInfo, ModelInfo, ParameterInfo
from shared.protocol import ColorizeRequest, Finish
from shared.stages import Stage

FINISHES = (Finish.FLATS, Finish.PAINTED)
STEP_S = 0.05


def nothing() -> None:
    """A step that is over at once."""


def slow() -> None:
    """A step of a model that takes its time."""
    time.sleep(STEP_S)


def patient() -> None:
    """A step that leaves time to look."""
    time.sleep(2.0)


def stuck() -> None:
    """A step that does not come back."""
    time.sleep(600)


def killed() -> None:
    """What the kernel does when memory runs out."""
    os.kill(os.getpid(), signal.SIGKILL)


def left() -> None:
    """A library that ends the process."""
    os._exit(3)


def segfault() -> None:
    """A bug in native code."""
    os.kill(os.getpid(), signal.SIGSEGV)


def greedy_numpy() -> None:
    """More memory than there is, asked of numpy."""
    np.zeros(2**55, np.uint8)


def greedy_torch() -> None:
    """More memory than there is, asked of torch."""
    import torch

    torch.zeros(2**52)


def disk_full() -> None:
    """A disk that is full in the middle of the work."""
    raise OSError(errno.ENOSPC, "No space left on device")


def bug() -> None:
    """A mistake of ours."""
    raise ZeroDivisionError("division by zero")


MODES = (
    ModeInfo("plain", "Plain", "One color for all."),
    ModeInfo("tinted", "Tinted", "A tint over it.", (NEEDS_BACKGROUND_REFERENCE,)),
)
PARAMETERS = (
    ParameterInfo("steps", "Steps", "How many.", "integer", 7, 1, 20),
    ParameterInfo("light", "Light", "Added to every color.", "integer", 0, 0, 50),
    ParameterInfo("tint", "Tint", "How much red.", "number", 0.5, 0.0, 1.0, 0.1, modes=("tinted",), advanced=True),
    ParameterInfo("negative", "Negative", "Turn colors round.", "switch", False),
    ParameterInfo("order", "Order", "Which channel comes first.", "choice", "rgb", choices=(("rgb", "RGB"), ("bgr", "BGR"))),
    ParameterInfo("note", "Note", "Words that mean nothing.", "text", "", advanced=True),
)
MOODY = ModelSpec("moody", "Moody", "MIT", FINISHES, MODES, PARAMETERS)

STEPS: dict[str, Callable[[], None]] = {
    "fake": nothing,
    "slow": slow,
    "patient": patient,
    "stuck": stuck,
    "killed": killed,
    "left": left,
    "segfault": segfault,
    "greedy_numpy": greedy_numpy,
    "greedy_torch": greedy_torch,
    "disk_full": disk_full,
    "bug": bug,
}


@dataclass(frozen=True)
class Fake:
    """A family whose every step calls ``step``."""

    spec: ModelSpec
    step: Callable[[], None]
    mask_warnings: tuple[str, ...] = ()

    def segment_drawing(self, ink: Any) -> Any:
        """The left half."""
        mask = np.zeros_like(ink)
        mask[:, : ink.shape[1] // 2] = 255
        return mask

    def segment_reference(self, rgb: Any) -> Any:
        """All of it."""
        return np.full(rgb.shape[:2], 255, np.uint8)

    def condition(self, drawing: Drawing, request: ColorizeRequest) -> Any:
        """The mean color of the first reference."""
        return drawing.references[0].rgb.reshape(-1, 3).mean(axis=0)

    def denoise(self, condition: Any, request: ColorizeRequest, on_step: ProgressCallback) -> Any:
        """As many steps as asked for, each with a preview."""
        for step in range(request.steps):
            self.step()
            on_step(StepProgress(Stage.DENOISE, step + 1, request.steps, np.full((32, 32, 3), 40 + step, np.uint8)))
        return condition

    def decode(self, condition: Any, latent: Any, drawing: Drawing, request: ColorizeRequest) -> Colors:
        """The mean color everywhere, shifted by the seed and, in ``moody``, as its parameters say."""
        values = resolve_parameters(self.spec, request)
        shift = request.seed + int(values.get("light", 0))
        color = np.clip(np.rint(latent) + shift, 0, 255).astype(np.uint8)
        if values.get("order") == "bgr":
            color = color[::-1]
        return Colors(np.tile(color, (drawing.regions.count, 1)), None)


def models(models_dir: Path) -> list[ModelInfo]:
    """Every fake, one whose file is damaged, and those whose file ``NAME.fake`` was dropped into the folder."""
    names = [*STEPS, "damaged", *(path.stem for path in models_dir.glob("*.fake"))]
    finishes = [finish.value for finish in FINISHES]
    moody = ModelInfo(MOODY.name, MOODY.title, "MIT", finishes, True, modes=MODES, parameters=PARAMETERS)
    return [*(ModelInfo(name, name.title(), "MIT", finishes, True) for name in names), moody]


def files(name: str, models_dir: Path) -> tuple[Path, ...]:
    """The file of a fake that was dropped into the folder."""
    file = models_dir / (name + ".fake")
    return (file,) if file.is_file() else ()


def report_devices(choice: str) -> DeviceReport:
    """The processor alone."""
    return DeviceReport((DeviceInfo(PROCESSOR, "Processor"),), PROCESSOR)


def load(name: str, models_dir: Path, device: str = "cpu", number_format: NumberFormat = NumberFormat.AUTOMATIC) -> Fake:
    """The fake of that name."""
    if name == "damaged":
        raise LinewashError(ErrorCode.MODEL_CORRUPT, "digest differs")
    if name == MOODY.name:
        return Fake(MOODY, nothing)
    if (models_dir / (name + ".fake")).is_file():
        return Fake(ModelSpec(name, name, "MIT", FINISHES), nothing)
    if name not in STEPS:
        raise LinewashError(ErrorCode.UNKNOWN_MODEL, name)
    return Fake(ModelSpec(name, name.title(), "MIT", FINISHES), STEPS[name])
