"""Which device the painter has chosen, which one computes, and the file that keeps the choice."""

import asyncio
import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from shared.atomic_file import write_atomically
from shared.devices.device_status import (
    AUTOMATIC,
    MAX_NAME,
    PROCESSOR,
    SLOWER,
    DeviceInfo,
    DeviceReport,
    DeviceStatus,
    NumberFormat,
)
from shared.errors import ErrorCode, LinewashError

_KEY = "device"
_log = logging.getLogger(__name__)


def read_choice(file: Path) -> str:
    """The choice that ``file`` keeps; ``auto`` when there is none, or it cannot be read."""
    choice = _read(file).get(_KEY)
    return choice if isinstance(choice, str) and 0 < len(choice) <= MAX_NAME else AUTOMATIC


def write_choice(file: Path, choice: str) -> None:
    """Keep a choice; whatever else is in the file stays.  Raises OSError."""
    write_atomically(file, (json.dumps({**_read(file), _KEY: choice}, indent=2) + "\n").encode("utf-8"))


def read_number_format(file: Path) -> NumberFormat:
    """The number format that ``file`` keeps; automatic when there is none, or no such."""
    text = _read(file).get("number_format", NumberFormat.AUTOMATIC.value)
    try:
        return NumberFormat(text)
    except ValueError:
        _log.warning("%s: there is no number format %r", file.name, text)
        return NumberFormat.AUTOMATIC


class DeviceChoice:
    """What is known of devices, and who waits to know.  All methods are called in the event loop.

    fixed: devices that were given when the server was started; () = the painter's choice, which ``file`` keeps.
    is_pending: whether a worker has still to take over the choice.
    """

    def __init__(self, fixed: tuple[str, ...], file: Path, is_pending: Callable[[], bool]) -> None:
        self._file, self._is_pending, self.is_fixed = file, is_pending, bool(fixed)
        self.chosen = fixed or (read_choice(file),)
        """One for each worker, ``auto`` or a device's name."""
        self._devices: tuple[DeviceInfo, ...] = ()
        self._used, self._problem, self._hints = "", "", tuple[str, ...]()
        self._changed = asyncio.Event()

    def status(self) -> DeviceStatus:
        """What clients are told.  With several workers, devices in use are those of the one that reported last."""
        return DeviceStatus(
            self._devices, self.chosen[0], self._used, self.is_fixed, self._is_pending(), self._problem, self._hints
        )

    def update(self, report: DeviceReport) -> None:
        """Take what a worker has found out."""
        self._devices, self._used = report.devices or self._devices, report.used
        self._problem, self._hints = report.problem, report.hints
        self._wake()

    def report_crash(self, used: str) -> DeviceReport:
        """What the next worker has to know after one has crashed while it used a graphics card, or ('') looked for some."""
        name = self.status().title(used) if used else "A graphics card's driver"
        problem = "%s has crashed the coloring program; %s To try it again, choose it again." % (name, SLOWER)
        return DeviceReport(self._devices or (DeviceInfo(PROCESSOR, "Processor"),), PROCESSOR, problem, self._hints)

    async def choose(self, choice: str) -> None:
        """Keep a choice for this and all later servers of this home.

        LinewashError DEVICE_UNAVAILABLE when it is fixed or there is no such device, DISK_FULL or INTERNAL when the file cannot
        be written.
        """
        if self.is_fixed:
            raise LinewashError(ErrorCode.DEVICE_UNAVAILABLE, "the backend was started for %s" % ", ".join(self.chosen))
        if choice != AUTOMATIC and self._devices and choice not in {device.name for device in self._devices}:
            raise LinewashError(ErrorCode.DEVICE_UNAVAILABLE, "there is no %s" % choice)
        await asyncio.to_thread(write_choice, self._file, choice)
        self.chosen = (choice,)
        self._used = self._problem = ""
        self._wake()

    async def wait_until_known(self, seconds: float) -> DeviceStatus:
        """The status as soon as a worker has said which device it uses, at the latest after ``seconds``."""
        until = time.monotonic() + seconds
        while not self._used and time.monotonic() < until:
            try:
                await asyncio.wait_for(self._changed.wait(), until - time.monotonic())
            except asyncio.TimeoutError:
                break
        return self.status()

    def _wake(self) -> None:
        # Whoever waits holds this event; the next change gets a new one.
        self._changed.set()
        self._changed = asyncio.Event()


def _read(file: Path) -> dict[str, Any]:
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        _log.warning("%s cannot be read: %s", file.name, error)
        return {}
    return data if isinstance(data, dict) else {}
