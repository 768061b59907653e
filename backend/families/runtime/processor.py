"""Whether this computer's processor has arithmetic for bfloat16.

Every processor computes in bfloat16: one without such instructions converts each number to float32 and back, which is several
times slower than float32 itself.
"""

import platform
import re
from pathlib import Path

import torch

FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
"""Names of the instructions, as Linux and torch list them: AVX-512 (Zen 4, Cooper Lake), AMX (Sapphire Rapids), ARM."""
_CPUINFO = Path("/proc/cpuinfo")


def has_bfloat16() -> bool:
    """Whether the processor multiplies numbers in bfloat16, and the installed torch makes use of it."""
    if platform.system() == "Darwin":
        return False  # torch's builds for the Mac are fast in float32 alone, by Apple's own library
    try:
        flags = parse_flags(_CPUINFO.read_text(encoding="utf-8", errors="replace"))
    except OSError:  # no Linux
        flags = torch_flags()
    return not FLAGS.isdisjoint(flags)


def parse_flags(cpuinfo: str) -> frozenset[str]:
    """The flags that all cores have in common, from the text of ``/proc/cpuinfo``; "flags" on x86, "Features" on ARM."""
    cores = [frozenset(text.split()) for text in re.findall(r"^(?:flags|Features)\s*:(.*)$", cpuinfo, re.MULTILINE)]
    return frozenset.intersection(*cores) if cores else frozenset()


def torch_flags() -> frozenset[str]:
    """The flags by torch's own look at the processor; none where this torch is too old to tell."""
    look = getattr(torch.cpu, "get_capabilities", None)
    return frozenset() if look is None else frozenset(name for name, value in look().items() if value is True)
