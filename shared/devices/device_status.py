"""What can compute (graphics cards, the processor), which one does, and the painter's choice: the calls ``/v1/device``."""

from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any, Dict, Optional, Tuple

from ..errors import ErrorCode, LinewashError

SLOWER = "the processor computes instead, which is slower."
"""The end of a sentence that says why a graphics card does not."""
AUTOMATIC = "auto"
"""The choice of the best device there is."""
PROCESSOR = "cpu"
"""Name of the device that is always there."""
MAX_NAME = 40
"""Most characters of a device's name."""


class NumberFormat(str, Enum):
    """The numbers in which the large networks of the published systems compute."""

    AUTOMATIC = "auto"
    """What the device is fast with and has memory for."""
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"


@dataclass(frozen=True)
class DeviceInfo:
    """Something that can compute."""

    name: str
    """As torch names it: cpu, cuda:0, xpu:0, mps."""
    title: str
    """In words for the painter: ``NVIDIA RTX 3060, 12 GB``."""


@dataclass(frozen=True)
class DeviceReport:
    """What a worker has found out when it started, or when its device failed."""

    devices: Tuple[DeviceInfo, ...]
    """What torch can compute on, the best first; the processor is the last."""
    used: str
    """Name of the one that computes."""
    problem: str = ""
    """A sentence for the painter: why the chosen one does not compute; '' when it does."""
    hints: Tuple[str, ...] = ()
    """A sentence for each graphics card that the installed torch cannot use."""


@dataclass(frozen=True)
class DeviceStatus:
    """The answer to ``GET`` and ``PUT /v1/device``."""

    devices: Tuple[DeviceInfo, ...]
    """What can compute, the best first; empty until a worker has looked."""
    choice: str
    """``auto`` or a device's name."""
    used: str
    """Name of the device that computes; '' until a worker has said so."""
    fixed: bool = False
    """Whether the device was given when the server was started, so that it cannot be changed now."""
    pending: bool = False
    """Whether the choice waits for a running job to end."""
    problem: str = ""
    """Why the chosen device does not compute, a sentence; '' when it does."""
    hints: Tuple[str, ...] = ()
    """A sentence for each graphics card that the installed torch cannot use."""

    def to_json(self) -> Dict[str, Any]:
        """A JSON object that ``from_json`` turns back into an equal status."""
        return dict(asdict(self), devices=[asdict(device) for device in self.devices], hints=list(self.hints))

    @staticmethod
    def from_json(data: Dict[str, Any]) -> "DeviceStatus":
        """The status in ``data``; unknown fields are ignored."""
        values = {name: value for name, value in data.items() if name in DeviceStatus.__dataclass_fields__}
        values["devices"] = tuple(DeviceInfo(str(row["name"]), str(row["title"])) for row in values["devices"])
        values["hints"] = tuple(values.get("hints", ()))
        return DeviceStatus(**values)

    def title(self, name: str) -> str:
        """The title of the device of that name; the name itself when it is not listed."""
        return find_title(self.devices, name)


def find_title(devices: Tuple[DeviceInfo, ...], name: str) -> str:
    """The title of the device of that name; the name itself when it is not among these."""
    device: Optional[DeviceInfo] = next((each for each in devices if each.name == name), None)
    return name if device is None else device.title


def card_failed(title: str) -> str:
    """What the painter reads when a graphics card has failed at work."""
    return "%s has failed; %s To try it again, choose it again." % (title, SLOWER)


def parse_choice(data: Any) -> str:
    """The choice in the body of ``PUT /v1/device``, ``{"device": NAME}``.  LinewashError BAD_REQUEST."""
    choice = data.get("device") if isinstance(data, dict) else None
    if not isinstance(choice, str) or not 0 < len(choice) <= MAX_NAME:
        raise LinewashError(ErrorCode.BAD_REQUEST, "device is no name, or too long")
    return choice
