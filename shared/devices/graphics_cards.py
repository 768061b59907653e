"""The graphics cards of this computer, found without torch: the installer chooses a build by them, the backend gives hints."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Iterator, List, Optional, Tuple

NVIDIA, AMD, INTEL = "NVIDIA", "AMD", "Intel"
_VENDORS = {"0x10de": NVIDIA, "0x1002": AMD, "0x8086": INTEL}
"""By the number that PCI gives each vendor."""
MIN_MEMORY = 2 * 1024**3
"""Bytes.  Less memory of its own has what is built into a processor, which torch cannot use, or is too slow to be worth it."""
_SMI = ("nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader,nounits")
_SMI_S = 5.0
"""How long NVIDIA's program may take, seconds."""
_DISPLAY_CLASS = r"SYSTEM\CurrentControlSet\Control\Class\{4d36e968-e325-11ce-bfc1-08002be10318}"
"""Where Windows lists display adapters in its registry."""

ReadOutput = Callable[[Tuple[str, ...]], str]
"""Runs a program and returns what it prints, '' when that fails."""


@dataclass(frozen=True)
class GraphicsCard:
    """One card with memory of its own."""

    vendor: str
    """NVIDIA, AMD or Intel."""
    name: str
    """As its driver calls it; '' when that is not known."""
    memory: int
    """Bytes; 0 = not known."""


def read_output(command: Tuple[str, ...]) -> str:
    """What a program prints, '' when it is not there, fails or hangs."""
    options: Any = {"creationflags": subprocess.CREATE_NO_WINDOW} if sys.platform == "win32" else {}
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_SMI_S,
            check=True,
            **options,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode("utf-8", "replace")


def find_graphics_cards(root: Path = Path("/"), run: ReadOutput = read_output) -> List[GraphicsCard]:
    """Cards of NVIDIA, and those of AMD and Intel with at least ``MIN_MEMORY``; [] on a Mac, whose graphics are no card.

    root: where ``/proc`` and ``/sys`` are.  An NVIDIA card is found also without its driver, then without a name.
    """
    by_smi = _parse_smi(run(_SMI))
    others = [*_linux_cards(root), *_windows_cards()]  # one of them finds nothing, on a Mac both
    if by_smi:  # the driver knows its cards best
        return [*by_smi, *(card for card in others if card.vendor != NVIDIA)]
    return others


def _parse_smi(text: str) -> List[GraphicsCard]:
    cards: List[GraphicsCard] = []
    for line in text.splitlines():
        name, _, mebibytes = line.rpartition(",")
        if name.strip():
            number = mebibytes.strip()
            cards.append(GraphicsCard(NVIDIA, name.strip(), int(number) * 1024**2 if number.isdigit() else 0))
    return cards


def _linux_cards(root: Path) -> Iterator[GraphicsCard]:
    models = [_model_line(path) for path in sorted(root.glob("proc/driver/nvidia/gpus/*/information"))]
    found_nvidia = 0
    for card in sorted(root.glob("sys/class/drm/card*")):
        vendor = _VENDORS.get(_read(card / "device" / "vendor"))
        if vendor is None or not card.name[4:].isdigit():  # card0-HDMI-A-1 is a screen
            continue
        if vendor == NVIDIA:
            yield GraphicsCard(NVIDIA, models[found_nvidia] if found_nvidia < len(models) else "", 0)
            found_nvidia += 1
            continue
        size = _read(card / "device" / "mem_info_vram_total") or _read(card / "lmem_total_bytes")
        memory = int(size) if size.isdigit() else 0
        if memory >= MIN_MEMORY:
            yield GraphicsCard(vendor, "", memory)
    # A computer without a screen, or with NVIDIA's own driver alone, may list no display at all.
    for name in models[found_nvidia:]:
        yield GraphicsCard(NVIDIA, name, 0)


def _model_line(path: Path) -> str:
    lines = [line.partition(":")[2].strip() for line in _read(path).splitlines() if line.startswith("Model")]
    return lines[0] if lines else ""


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _windows_cards() -> Iterator[GraphicsCard]:
    if sys.platform != "win32":
        return
    import winreg

    def value(key: Any, name: str) -> Optional[Any]:
        try:
            return winreg.QueryValueEx(key, name)[0]
        except OSError:
            return None

    for number in range(32):
        try:
            key = winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, "%s\\%04d" % (_DISPLAY_CLASS, number))
        except OSError:
            continue
        with key:
            device, name = str(value(key, "MatchingDeviceId") or "").lower(), str(value(key, "DriverDesc") or "")
            memory = value(key, "HardwareInformation.qwMemorySize")
        vendor = next((title for code, title in _VENDORS.items() if "ven_" + code[2:] in device), None)
        size = memory if isinstance(memory, int) else 0
        if vendor == NVIDIA or (vendor is not None and size >= MIN_MEMORY):
            yield GraphicsCard(vendor, name, size)
