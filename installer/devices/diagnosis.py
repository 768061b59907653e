"""Whether the PyTorch that is installed suits this computer's hardware."""

import json
from dataclasses import dataclass
from pathlib import Path

from ..subprocesses import capture_output
from .choice import AUTO, choose_device
from .hardware import NAMES, DeviceKind, Hardware
from .torch_builds import suits, torch_builds

_CODE = """
import json, torch
xpu, mps = getattr(torch, "xpu", None), getattr(torch.backends, "mps", None)
print(json.dumps({
    "version": torch.__version__,
    "cuda": torch.version.hip is None and torch.cuda.is_available(),
    "rocm": torch.version.hip is not None and torch.cuda.is_available(),
    "xpu": bool(xpu and xpu.is_available()),
    "mps": bool(mps and mps.is_available()),
}))
"""


@dataclass(frozen=True)
class TorchReport:
    """What an installed PyTorch says of itself."""

    version: str
    """As ``2.13.0+cu130``."""
    devices: frozenset[DeviceKind]
    """Those that it can use here; always with CPU."""


def ask_torch(python: Path) -> TorchReport | None:
    """The PyTorch of ``python``; None when it cannot be imported."""
    status, text = capture_output([python, "-c", _CODE])
    try:
        answer = json.loads(text.strip().splitlines()[-1])
        if status != 0:
            return None
        devices = {kind for kind in DeviceKind if answer.get(kind.value)}
        return TorchReport(str(answer["version"]), frozenset((*devices, DeviceKind.CPU)))
    except (ValueError, KeyError, IndexError, AttributeError):
        return None


def diagnose(torch: TorchReport | None, device: str, hardware: Hardware, platform: str) -> tuple[bool, str, str]:
    """(in order, sentence, what to do) about ``torch``, installed for ``device`` (a ``DeviceKind``) on ``hardware``."""
    if torch is None:
        return False, "PyTorch cannot be loaded.", "Run: python3 install.py repair"
    builds, kind = torch_builds(platform), DeviceKind(device)
    best = choose_device(AUTO, hardware, platform).kind
    change = f"Run: python3 install.py install --device {best.value}"
    if kind not in builds or not suits(builds[kind], torch.version):
        return False, f"PyTorch {torch.version} is not the build for {NAMES[kind]}.", "Run: python3 install.py repair"
    if kind not in torch.devices:
        return (
            False,
            f"PyTorch {torch.version} is the build for {NAMES[kind]} and cannot use it.",
            f"Update its driver and restart the computer; or compute on the processor: install.py install --device cpu (for "
            f"{NAMES[best]}: {change})"
            if best not in (kind, DeviceKind.CPU)
            else "Update its driver and restart the computer; or run: python3 install.py install --device cpu",
        )
    if kind == DeviceKind.CPU and best != DeviceKind.CPU:
        return False, f"PyTorch {torch.version} computes on the processor alone, though {NAMES[best]} is there.", change
    return True, f"PyTorch {torch.version} computes on {NAMES[kind]}.", ""
