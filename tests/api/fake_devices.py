"""A registry of fakes on a computer with two graphics cards, one of which may be taken out or break.

What happens to them is in files of the folder ``LINEWASH_CARDS``, each a list of cards: ``gone``, ``fails_at_work`` and so on.
"""

import os
import signal
from pathlib import Path
from typing import Any

from shared.devices.device_status import AUTOMATIC, PROCESSOR, DeviceInfo, DeviceReport, NumberFormat
from tests.api import fakes
from tests.api.fakes import files, models

CARDS = (DeviceInfo("cuda:0", "NVIDIA RTX 3060, 12 GB"), DeviceInfo("cuda:1", "NVIDIA GTX 1650, 4 GB"))
HINT = "An AMD card is here, but the installed PyTorch cannot use it. Run python3 install.py --device rocm."
__all__ = ["files", "load", "models", "report_devices"]


def named(what: str) -> list[str]:
    """The cards that the file of that name lists."""
    file = Path(os.environ["LINEWASH_CARDS"]) / what
    return file.read_text().split() if file.is_file() else []


def report_devices(choice: str) -> DeviceReport:
    """As the real one, without looking."""
    devices = (*(card for card in CARDS if card.name not in named("gone")), DeviceInfo(PROCESSOR, "Processor (2 cores)"))
    used = devices[0].name if choice == AUTOMATIC else choice
    if used in named("crash"):
        os.kill(os.getpid(), signal.SIGSEGV)
    if used not in {device.name for device in devices}:
        return DeviceReport(devices, PROCESSOR, "It is not there any more.", (HINT,))
    return DeviceReport(devices, used, hints=(HINT,))


class Broken:
    """A fake whose card fails when it computes, or ends the process."""

    def __init__(self, fake: Any, device: str) -> None:
        self._fake, self._device = fake, device

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fake, name)

    def condition(self, drawing: Any, request: Any) -> Any:
        """The fake's, where the card works."""
        if self._device in named("crash_at_work"):
            os.kill(os.getpid(), signal.SIGSEGV)
        if self._device in named("fails_at_work"):
            raise RuntimeError("CUDA error: no kernel image is available for execution on the device")
        if self._device in named("full"):
            raise RuntimeError("CUDA out of memory. Tried to allocate 20.00 GiB")
        if "all" in named("buggy"):
            raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")
        return self._fake.condition(drawing, request)


def load(name: str, models_dir: Path, device: str, number_format: NumberFormat) -> Any:
    """The fake of that name, on a device."""
    return Broken(fakes.load(name, models_dir, device, number_format), device)
