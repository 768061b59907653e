"""Which devices torch can compute on here, what painters call them, and which one computes."""

import logging
import os
import platform
import re
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import nn

from shared.devices.device_status import AUTOMATIC, PROCESSOR, SLOWER, DeviceInfo, DeviceReport
from shared.devices.graphics_cards import AMD, INTEL, NVIDIA, GraphicsCard, find_graphics_cards

MIN_AUTOMATIC_MEMORY = 2 * 1024**3
"""Bytes that a graphics card must have to be chosen automatically: with less, loading a model into it is likely to fail."""
_BUILDS = {NVIDIA: "cuda", AMD: "rocm", INTEL: "xpu"}
"""What ``install.py --device`` calls the build of torch for a vendor's cards."""
_NOISE = re.compile(r"\((?:R|TM)\)|\bGeForce\b|\bGraphics\b|\bLaptop GPU\b")
"""Parts of a card's name that tell painters nothing."""
Check = Callable[[str], str]
"""Name of a device -> why it does not compute, '' when it does."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Accelerator:
    """A device besides the processor."""

    info: DeviceInfo
    memory: int
    """Bytes."""


def report_devices(choice: str, check: "Check | None" = None) -> DeviceReport:
    """What can compute, and what does, for a choice: ``auto`` or a device's name.

    A device computes only after ``check`` has let it do so once.  Where it does not, or is not there, the report says why, and
    the next best computes, at last the processor.
    """
    accelerators = _find_accelerators()
    roomy = [each.info.name for each in accelerators if each.memory >= MIN_AUTOMATIC_MEMORY]
    devices = (*(each.info for each in accelerators), DeviceInfo(PROCESSOR, processor_title()))
    used, problem = select_device(choice, devices, roomy, check or check_device)
    return DeviceReport(devices, used, problem, find_hints(find_graphics_cards(), {each.info.name for each in accelerators}))


def select_device(choice: str, devices: tuple[DeviceInfo, ...], automatic: Iterable[str], check: Check) -> tuple[str, str]:
    """(name of the device that computes, a sentence that says why the chosen one does not, or '').

    devices: all, the best first.  automatic: names of those that an automatic choice may try.
    """
    titles = {device.name: device.title for device in devices}
    failed: list[str] = []
    for name in list(automatic) if choice == AUTOMATIC else [choice]:
        if name == PROCESSOR:
            break
        if name not in titles:
            return PROCESSOR, "The chosen graphics card (%s) is not there any more; %s" % (name, SLOWER)
        reason = check(name)
        if not reason:
            instead = "%s computes instead." % titles[name]
            return name, " ".join("%s %s" % (failure, instead) for failure in failed[:1])
        _log.warning("device %s does not compute: %s", name, reason)
        failed.append("%s does not work with the installed PyTorch or its driver;" % titles[name])
    return PROCESSOR, "%s %s" % (failed[0], SLOWER) if failed else ""


def check_device(name: str) -> str:
    """Why a device does not compute, '' when it does: a convolution and a product, as every model has them."""
    try:
        device = torch.device(name)
        with torch.inference_mode():
            image = torch.ones(1, 4, 16, 16).to(device)
            convolved = nn.functional.conv2d(image, torch.ones(4, 4, 3, 3).to(device), padding=1)
            product = (convolved.flatten(2) @ convolved.flatten(2).transpose(1, 2)).softmax(-1)
            total = float(product.sum().cpu())
    except Exception as error:  # noqa: BLE001  each driver raises errors of its own
        return "%s: %s" % (type(error).__name__, error)
    return "" if abs(total - 4) < 1e-3 else "it computes %g instead of 4" % total


def find_hints(cards: Iterable[GraphicsCard], usable: Iterable[str]) -> tuple[str, ...]:
    """A sentence for each vendor whose card torch cannot use.  usable: names of the devices that torch lists."""
    kinds = {name.split(":")[0] for name in usable}
    hints: list[str] = []
    for vendor in dict.fromkeys(card.vendor for card in cards):
        if ("xpu" if vendor == INTEL else "cuda") in kinds:
            continue
        if _is_built_for(vendor):
            text = "An %s card is here, but its driver does not work with the installed PyTorch. Update the driver."
            hints.append(text % vendor)
        else:
            text = "An %s card is here, but the installed PyTorch cannot use it. Run python3 install.py --device %s."
            hints.append(text % (vendor, _BUILDS[vendor]))
    return tuple(hints)


def processor_title() -> str:
    """What painters call the processor: ``Processor (8 cores)``."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return "Processor (%d core%s)" % (cores, "" if cores == 1 else "s")


def card_title(name: str, memory: int) -> str:
    """What painters call a graphics card: ``NVIDIA RTX 3060, 12 GB``."""
    short = " ".join(_NOISE.sub(" ", name).split()) or "Graphics card"
    return "%s, %d GB" % (short, max(1, round(memory / 1024**3)))


def _is_built_for(vendor: str) -> bool:
    """Whether the installed torch is a build for a vendor's cards."""
    if vendor == INTEL:
        return getattr(torch.version, "xpu", None) is not None
    return (torch.version.cuda if vendor == NVIDIA else torch.version.hip) is not None


def _find_accelerators() -> list[_Accelerator]:
    """The devices besides the processor, the best first: graphics cards by memory, those of CUDA and ROCm before Intel's."""
    found: list[_Accelerator] = []
    for kind, module in (("cuda", torch.cuda), ("xpu", torch.xpu)):
        if not module.is_available():
            continue
        cards = [module.get_device_properties(number) for number in range(module.device_count())]
        ranked = sorted(enumerate(cards), key=lambda card: -card[1].total_memory)  # sorted keeps the order of equal ones
        found += _name_apart([(f"{kind}:{number}", card.name, card.total_memory) for number, card in ranked])
    if torch.backends.mps.is_available():
        found.append(_Accelerator(DeviceInfo("mps", _apple_title()), torch.mps.recommended_max_memory()))
    return found


def _name_apart(cards: list[tuple[str, str, int]]) -> list[_Accelerator]:
    """Titles of (name, the driver's name, memory); of several cards of one title each gets a number."""
    titles = [card_title(text, memory) for _, text, memory in cards]
    numbered = [
        "%s (%d)" % (title, titles[: index + 1].count(title)) if titles.count(title) > 1 else title
        for index, title in enumerate(titles)
    ]
    return [_Accelerator(DeviceInfo(name, title), memory) for (name, _, memory), title in zip(cards, numbered, strict=True)]


def _apple_title() -> str:
    """``Apple M2, graphics``."""
    try:
        command = ("sysctl", "-n", "machdep.cpu.brand_string")
        chip = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        chip = ""
    return "%s, graphics" % (chip or "Apple %s" % platform.machine())
