"""A registry whose ``mini`` is no model: quick and colorful, for tests that are about Krita and not about color.

Every region gets a color of a fixed palette, and a field of a soft gradient lies on top, so that layers are neither flat nor
gray.  The backend takes it through its public ``LINEWASH_REGISTRY`` setting.  Everything else is the product's own: upload,
worker process, prepare, layers, store.
"""

import errno
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from backend.contract.drawing import Colors, Drawing, ProgressCallback, StepProgress
from backend.contract.family import ModelSpec
from backend.imaging.types import Gray, Rgb
from backend.weights.shipped_model import ModelFolder
from shared.devices.device_status import PROCESSOR, DeviceInfo, DeviceReport, NumberFormat
from shared.errors import ErrorCode, LinewashError
from shared.model_spec import ModelInfo
from shared.protocol import ColorizeRequest, Finish
from shared.stages import Stage

STEP_S = 0.01
FOREGROUND: Sequence[tuple[int, int, int]] = ((230, 180, 150), (110, 60, 40), (60, 90, 190), (170, 40, 60))
BACKGROUND: Sequence[tuple[int, int, int]] = ((150, 205, 240), (120, 180, 100), (250, 220, 110))
SPEC = ModelSpec("mini", "Swatches", "MIT", (Finish.FLATS, Finish.PAINTED))


class Swatches:
    """The family.  It fails with a full disk while ``models/fault`` says ``disk_full``."""

    spec = SPEC
    mask_warnings: tuple[str, ...] = ()

    def __init__(self, models_dir: Path) -> None:
        self._fault = models_dir / "fault"

    def segment_drawing(self, ink: Gray) -> Gray:
        """The middle third of the canvas."""
        mask = np.zeros_like(ink)
        mask[:, ink.shape[1] // 3 : 2 * ink.shape[1] // 3] = 255
        return mask

    def segment_reference(self, rgb: Rgb) -> Gray:
        """All of it."""
        return np.full(rgb.shape[:2], 255, np.uint8)

    def condition(self, drawing: Drawing, request: ColorizeRequest) -> int:
        """Where in the palette to begin."""
        return request.seed % len(FOREGROUND)

    def denoise(self, condition: int, request: ColorizeRequest, on_step: ProgressCallback) -> int:
        """As many steps as asked for, each with a preview."""
        for step in range(request.steps):
            time.sleep(STEP_S)
            on_step(StepProgress(Stage.DENOISE, step + 1, request.steps, np.full((48, 64, 3), 40 + 10 * (step % 20), np.uint8)))
        return condition

    def decode(self, condition: int, latent: int, drawing: Drawing, request: ColorizeRequest) -> Colors:
        """The palette, one color after the other."""
        if self._fault.exists() and self._fault.read_text() == "disk_full":
            raise OSError(errno.ENOSPC, "No space left on device")
        regions = drawing.regions
        flats = np.array(
            [(FOREGROUND if regions.foreground[i] else BACKGROUND)[(i + latent) % 3] for i in range(regions.count)], np.uint8
        ).reshape(-1, 3)
        if request.finish is Finish.FLATS:
            return Colors(flats, None)
        shade = np.linspace(0.8, 1.0, regions.labels.shape[0], dtype=np.float32)[:, None, None]
        return Colors(flats, flats[regions.labels].astype(np.float32) / 255 * shade)


def models(models_dir: Path) -> list[ModelInfo]:
    """The one row."""
    return [ModelInfo(SPEC.name, SPEC.title, SPEC.license, [finish.value for finish in SPEC.finishes], True)]


def report_devices(choice: str) -> DeviceReport:
    """The processor alone."""
    return DeviceReport((DeviceInfo(PROCESSOR, "Processor"),), PROCESSOR)


def load(name: str, models_dir: Path, device: str = "cpu", number_format: NumberFormat = NumberFormat.AUTOMATIC) -> Swatches:
    """The one family.  LinewashError UNKNOWN_MODEL, and as with the real one MODEL_CORRUPT for a damaged ``models/mini``."""
    if name != SPEC.name:
        raise LinewashError(ErrorCode.UNKNOWN_MODEL, name)
    if (models_dir / name).is_dir():
        ModelFolder(models_dir / name).config()
    return Swatches(models_dir)


def files(name: str, models_dir: Path) -> tuple[Path, ...]:
    """No model of these is a file."""
    return ()
