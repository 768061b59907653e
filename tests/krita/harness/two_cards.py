"""The registry of swatches on a computer with two graphics cards, which fail while ``models/card_failed`` is there."""

from pathlib import Path

from backend.contract.drawing import Drawing
from shared.devices.device_status import AUTOMATIC, PROCESSOR, DeviceInfo, DeviceReport, NumberFormat
from shared.protocol import ColorizeRequest
from tests.krita.harness import swatches
from tests.krita.harness.swatches import Swatches, files, models

CARDS = (DeviceInfo("cuda:0", "NVIDIA RTX 3060, 12 GB"), DeviceInfo("cuda:1", "NVIDIA GTX 1650, 4 GB"))
DEVICES = (*CARDS, DeviceInfo(PROCESSOR, "Processor (8 cores)"))
HINT = "An AMD card is here, but the installed PyTorch cannot use it. Run python3 install.py --device rocm."
__all__ = ["files", "load", "models", "report_devices"]


def report_devices(choice: str) -> DeviceReport:
    """Whatever is chosen computes."""
    return DeviceReport(DEVICES, CARDS[0].name if choice == AUTOMATIC else choice, hints=(HINT,))


class _CardSwatches(Swatches):
    """The family on a card."""

    def __init__(self, models_dir: Path) -> None:
        super().__init__(models_dir)
        self._failure = models_dir / "card_failed"

    def condition(self, drawing: Drawing, request: ColorizeRequest) -> int:
        """As on the processor, or what a driver says whose card is gone."""
        if self._failure.exists():
            raise RuntimeError("CUDA error: unspecified launch failure")
        return super().condition(drawing, request)


def load(name: str, models_dir: Path, device: str, number_format: NumberFormat) -> Swatches:
    """The family of swatches."""
    family = swatches.load(name, models_dir, device, number_format)
    return family if device == PROCESSOR else _CardSwatches(models_dir)
