"""Which processors have arithmetic for bfloat16, from what they say of themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.families.runtime.processor import FLAGS, has_bfloat16, parse_flags, torch_flags

_AVX2 = "fpu sse sse2 ssse3 fma cx16 sse4_1 sse4_2 movbe popcnt aes avx f16c rdrand avx2 bmi1 bmi2"
_AVX512 = f"{_AVX2} avx512f avx512dq avx512bw avx512vl avx512cd avx512_vnni avx512_vbmi2 gfni"
SAMPLES = {
    "Zen 2 (Ryzen 3700X)": (f"{_AVX2} sha_ni clzero", False),
    "Zen 3 (Ryzen 5800X)": (f"{_AVX2} sha_ni vaes vpclmulqdq", False),
    "Zen 4 (Ryzen 7700X)": (f"{_AVX512} avx512_bf16", True),
    "Alder Lake (i7-12700K)": (f"{_AVX2} avx_vnni vaes serialize", False),
    "Skylake server": (_AVX512, False),
    "Arrow Lake, which only converts": (f"{_AVX2} avx_vnni avx_ne_convert avx_vnni_int8", False),
    "Cooper Lake": (f"{_AVX512} avx512_bf16", True),
    "Sapphire Rapids": (f"{_AVX512} avx512_bf16 amx_bf16 avx512_fp16 amx_tile amx_int8", True),
}
"""Processor -> its line of flags, shortened, and whether it multiplies in bfloat16."""
ARM = {
    "Raspberry Pi 4 (Cortex-A72)": ("fp asimd evtstrm crc32 cpuid", False),
    "Graviton 2 (Neoverse N1)": ("fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp asimddp", False),
    "Graviton 3 (Neoverse V1)": ("fp asimd aes atomics fphp asimdhp asimddp sve i8mm bf16 svebf16 svei8mm", True),
}


def of_x86(flags: str, cores: int = 2) -> str:
    return "".join(f"processor\t: {core}\nmodel name\t: some\nflags\t\t: {flags}\nbugs\t\t: none\n\n" for core in range(cores))


def of_arm(*features: str) -> str:
    return "".join(f"processor\t: {core}\nFeatures\t: {flags}\nCPU part\t: 0xd40\n\n" for core, flags in enumerate(features))


@pytest.mark.parametrize("name", SAMPLES)
def test_processors_of_pcs(name: str) -> None:
    flags, wanted = SAMPLES[name]
    assert (not FLAGS.isdisjoint(parse_flags(of_x86(flags)))) is wanted


@pytest.mark.parametrize("name", ARM)
def test_processors_of_arm(name: str) -> None:
    flags, wanted = ARM[name]
    assert (not FLAGS.isdisjoint(parse_flags(of_arm(flags, flags)))) is wanted


def test_all_cores_must_have_it() -> None:
    assert FLAGS.isdisjoint(parse_flags(of_arm("fp asimd bf16", "fp asimd")))


def test_a_name_that_contains_another_does_not_count() -> None:
    assert parse_flags(of_x86("no_bf16 bf16x")) == {"no_bf16", "bf16x"} and FLAGS.isdisjoint({"no_bf16", "bf16x"})


@pytest.mark.parametrize("text", ["", "processor\t: 0\n", "nonsense"])
def test_a_file_without_flags_says_nothing(text: str) -> None:
    assert parse_flags(text) == frozenset()


@pytest.mark.skipif(not Path("/proc/cpuinfo").is_file() or not torch_flags(), reason="one of the two does not tell here")
def test_linux_and_torch_agree_about_this_processor() -> None:
    assert has_bfloat16() is (not FLAGS.isdisjoint(torch_flags()))
