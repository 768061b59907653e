"""The installer finds the GPU, chooses the build of PyTorch for it, and says when another one is installed."""

from pathlib import Path

import pytest

from installer.devices.choice import AUTO, choose_device
from installer.devices.diagnosis import TorchReport, diagnose
from installer.devices.hardware import DeviceKind, Hardware, Probe, find_hardware
from installer.devices.torch_builds import UNPACKED_FACTOR, suits, torch_builds
from installer.messages import InstallError
from shared.devices.graphics_cards import AMD, INTEL, NVIDIA, GraphicsCard

CPU, CUDA, ROCM, XPU, MPS = DeviceKind
NOTHING = Hardware(())


def computer(
    root: Path, *vendors: str, platform: str = "linux", machine: str = "x86_64", programs: tuple[str, ...] = (), files: str = ""
) -> Hardware:
    """The hardware of a computer with such cards, programs and files."""
    for name in files.split():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    cards = [GraphicsCard(vendor, "", 8 << 30) for vendor in vendors]
    return find_hardware(Probe(platform, machine, root, lambda name: name in programs, lambda _: cards))


def test_a_computer_without_a_gpu(tmp_path: Path) -> None:
    assert computer(tmp_path) == NOTHING
    assert computer(tmp_path, platform="win32") == NOTHING


def test_nvidia_counts_when_its_driver_is_there(tmp_path: Path) -> None:
    assert computer(tmp_path, NVIDIA) == Hardware((), (), (CUDA,))
    assert computer(tmp_path, NVIDIA, programs=("nvidia-smi",)) == Hardware((CUDA,))
    assert computer(tmp_path, NVIDIA, files="proc/driver/nvidia/version") == Hardware((CUDA,))


def test_amd_counts_when_rocm_is_set_up(tmp_path: Path) -> None:
    assert computer(tmp_path, AMD) == Hardware((), (), (ROCM,))
    assert computer(tmp_path, AMD, files="dev/kfd") == Hardware((), (ROCM,))
    assert computer(tmp_path, AMD, programs=("rocminfo",)) == Hardware((ROCM,))
    assert computer(tmp_path, AMD, files="opt/rocm/version") == Hardware((ROCM,))


def test_intel_counts_when_its_libraries_are_there(tmp_path: Path) -> None:
    assert computer(tmp_path, INTEL) == Hardware((), (XPU,))
    assert computer(tmp_path, INTEL, files="usr/lib/x86_64-linux-gnu/libze_loader.so.1") == Hardware((XPU,))
    assert computer(tmp_path / "windows", INTEL, platform="win32") == Hardware((XPU,))


def test_a_mac_has_its_own(tmp_path: Path) -> None:
    assert computer(tmp_path, platform="darwin", machine="arm64") == Hardware((MPS,))
    assert computer(tmp_path, platform="darwin") == NOTHING


@pytest.mark.parametrize(
    ("hardware", "platform", "kind"),
    [
        (NOTHING, "linux", CPU),
        (Hardware((CUDA,)), "linux", CUDA),
        (Hardware((CUDA, ROCM)), "linux", CUDA),
        (Hardware((), (ROCM,)), "linux", CPU),
        (Hardware((ROCM,)), "win32", CPU),  # PyTorch's index has no such build
        (Hardware((MPS,)), "darwin", MPS),
    ],
)
def test_the_best_that_is_certain_is_taken_where_nobody_is_asked(hardware: Hardware, platform: str, kind: DeviceKind) -> None:
    assert choose_device(AUTO, hardware, platform).kind == kind


def test_a_question_is_asked_only_where_it_is_unclear() -> None:
    questions: list[str] = []

    def ask(question: str, default: int) -> int:
        questions.append(question)
        return 1

    assert choose_device(AUTO, Hardware((CUDA,)), "linux", ask).kind == CUDA
    assert choose_device(AUTO, NOTHING, "linux", ask).kind == CPU
    assert not questions
    assert choose_device(AUTO, Hardware((CUDA, ROCM)), "linux", ask).kind == ROCM
    assert choose_device(AUTO, Hardware((), (XPU,)), "linux", ask).kind == XPU
    assert "1  the processor alone" in questions[1] and "2  the Intel GPU" in questions[1]


def test_what_cannot_be_used_is_said() -> None:
    assert "--device rocm" in choose_device(AUTO, Hardware((), (ROCM,)), "linux").notice
    assert "driver is not installed" in choose_device(AUTO, Hardware((), (), (CUDA,)), "linux").notice
    assert choose_device(AUTO, Hardware((CUDA,)), "linux").notice == ""


def test_a_wish_is_followed_where_there_is_such_a_build() -> None:
    assert choose_device("xpu", NOTHING, "linux").kind == XPU
    with pytest.raises(InstallError, match=r"not made for mps on this system.*cpu, cuda, rocm, xpu"):
        choose_device("mps", NOTHING, "linux")


def test_the_table_of_builds(project: Path) -> None:
    pins = (project / "constraints.txt").read_text(encoding="utf-8")
    cuda = next(line for line in pins.splitlines() if line.startswith("cuda-toolkit==")).partition("==")[2].split(".")
    assert torch_builds("win32")[CUDA].index.endswith(f"cu{cuda[0]}{cuda[1]}")
    assert set(torch_builds("linux")) == {CPU, CUDA, ROCM, XPU}
    assert set(torch_builds("darwin")) == {CPU, MPS}
    assert set(UNPACKED_FACTOR) == set(DeviceKind)
    assert not torch_builds("linux")[CPU].is_index_needed


@pytest.mark.parametrize(
    ("kind", "version", "well"),
    [
        (CPU, "2.13.0+cpu", True),
        (CPU, "2.13.0", True),
        (CUDA, "2.13.0", True),
        (CUDA, "2.13.0+cu130", True),
        (CUDA, "2.13.0+cpu", False),
        (ROCM, "2.13.0+cu130", False),
        (ROCM, "2.13.0+rocm7.2", True),
        (XPU, "2.13.0", False),
    ],
)
def test_which_build_is_which(kind: DeviceKind, version: str, well: bool) -> None:
    assert suits(torch_builds("linux")[kind], version) == well


@pytest.mark.parametrize(
    ("version", "devices", "device", "hardware", "sentence", "fix"),
    [
        ("2.13.0+cpu", {CPU}, "cpu", NOTHING, "PyTorch 2.13.0+cpu computes on the processor alone.", ""),
        ("2.13.0+cpu", {CPU}, "cpu", Hardware((CUDA,)), "though the NVIDIA GPU is there", "--device cuda"),
        ("2.13.0+cpu", {CPU}, "cuda", Hardware((CUDA,)), "is not the build for the NVIDIA GPU", "repair"),
        ("2.13.0", {CPU}, "cuda", Hardware((CUDA,)), "and cannot use it", "Update its driver"),
        ("2.13.0", {CPU, CUDA}, "cuda", Hardware((CUDA,)), "computes on the NVIDIA GPU", ""),
    ],
)
def test_the_doctor_compares_torch_and_hardware(
    version: str, devices: set[DeviceKind], device: str, hardware: Hardware, sentence: str, fix: str
) -> None:
    is_ok, said, todo = diagnose(TorchReport(version, frozenset(devices)), device, hardware, "linux")
    assert sentence in said and fix in todo
    assert is_ok == (not todo)


def test_a_torch_that_does_not_load_is_repaired() -> None:
    assert diagnose(None, "cpu", NOTHING, "linux")[2] == "Run: python3 install.py repair"
