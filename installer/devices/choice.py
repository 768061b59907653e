"""Chooses the kind of device to install PyTorch for; asks only where the computer does not say."""

from collections.abc import Callable
from dataclasses import dataclass

from ..messages import InstallError
from .hardware import NAMES, DeviceKind, Hardware
from .torch_builds import torch_builds

AUTO = "auto"


@dataclass(frozen=True)
class DeviceChoice:
    """A kind of device, and what the painter should know about it."""

    kind: DeviceKind
    notice: str = ""
    """One sentence; '' = nothing to say."""


def choose_device(wish: str, hardware: Hardware, platform: str, ask: Callable[[str, int], int] | None = None) -> DeviceChoice:
    """The kind for ``wish``: AUTO or a ``DeviceKind``; InstallError when there is no such build for this system.

    ask: ``ask(question, default)`` returns the number of the painter's choice, 0 first; None = nobody is there to ask.
    """
    builds = torch_builds(platform)
    if wish != AUTO:
        if DeviceKind(wish) not in builds:
            kinds = ", ".join(kind.value for kind in builds)
            raise InstallError(f"PyTorch is not made for {wish} on this system.", f"Choose one of: {kinds}.")
        return DeviceChoice(DeviceKind(wish))
    usable = [kind for kind in hardware.usable if kind in builds]
    uncertain = [kind for kind in hardware.uncertain if kind in builds]
    options = [*usable, *([] if usable else [DeviceKind.CPU]), *uncertain]
    if ask is not None and len(options) > 1 and (len(usable) > 1 or not usable):
        lines = [f"  {number}  {NAMES[kind]}" for number, kind in enumerate(options, 1)]
        question = "\n".join(("Linewash can be installed for one of these:", *lines, "Which one? [1] "))
        return DeviceChoice(options[ask(question, 0)])
    return DeviceChoice(options[0], _notice(options[0], uncertain, hardware.without_driver))


def _notice(kind: DeviceKind, uncertain: list[DeviceKind], without_driver: tuple[DeviceKind, ...]) -> str:
    if kind != DeviceKind.CPU:
        return ""
    if uncertain:
        return (
            f"{_capital(NAMES[uncertain[0]])} may work as well, which cannot be seen from here: "
            f"to try it, run install.py again with --device {uncertain[0].value}."
        )
    if without_driver:
        return (
            f"{_capital(NAMES[without_driver[0]])} cannot be used, because its driver is not installed. "
            "Install the driver, then run install.py again with --device auto."
        )
    return ""


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
