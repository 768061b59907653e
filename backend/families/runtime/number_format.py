"""The number format in which the large networks compute on a device."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from backend.families.runtime import processor
from shared.devices.device_status import NumberFormat

DTYPES = {
    NumberFormat.FLOAT32: torch.float32,
    NumberFormat.BFLOAT16: torch.bfloat16,
    NumberFormat.FLOAT16: torch.float16,
}
SHORT_OF_MEMORY = (
    "This processor is fast in numbers of 32 bits only, and memory is short for them: "
    "it computes in 16 bits, which takes several times as long."
)


@dataclass(frozen=True)
class NumberChoice:
    """A number format, and what the painter should know about it."""

    number_format: NumberFormat
    """Never automatic."""
    warning: str = ""
    """One sentence; '' when there is nothing to say."""

    @property
    def dtype(self) -> torch.dtype:
        """What torch calls the format."""
        return DTYPES[self.number_format]


def choose_number_format(
    device: str, wanted: NumberFormat, has_bfloat16: Callable[[str], bool], fits_float32: Callable[[], bool]
) -> NumberChoice:
    """The format for a device as torch names it (cpu, cuda:1, xpu:0, mps); ``wanted`` overrides it.

    Graphics cards: bfloat16 where the card has it, else float16.  MPS: float16.  The processor: bfloat16 where it has it, for
    that halves the memory; else float32 where it fits into memory; else bfloat16, with a warning.
    """
    if wanted is not NumberFormat.AUTOMATIC:
        return NumberChoice(wanted)
    kind = device.split(":")[0]
    if kind == "mps":
        return NumberChoice(NumberFormat.FLOAT16)
    if has_bfloat16(device):
        return NumberChoice(NumberFormat.BFLOAT16)
    if kind != "cpu":
        return NumberChoice(NumberFormat.FLOAT16)
    return NumberChoice(NumberFormat.FLOAT32) if fits_float32() else NumberChoice(NumberFormat.BFLOAT16, SHORT_OF_MEMORY)


def device_has_bfloat16(device: str) -> bool:
    """Whether a device computes in bfloat16 by itself."""
    kind = device.split(":")[0]
    if kind == "cuda":  # NVIDIA's cards, and AMD's by ROCm
        with torch.cuda.device(device):
            return torch.cuda.is_bf16_supported(including_emulation=False)
    return kind == "xpu" or (kind == "cpu" and processor.has_bfloat16())
