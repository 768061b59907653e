"""The command line, run as a process."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from backend.cli.device import describe_devices
from backend.imaging import png
from backend.server.device_choice import read_choice
from shared.client import find_server
from shared.devices.device_status import DeviceInfo, DeviceStatus
from shared.paths import settings_file
from tests.api import images
from tests.api.backend_process import FAKES, PROJECT, BackendProcess
from tests.api.fake_devices import HINT


def linewash(home: Path, *arguments: object, **settings: str) -> "subprocess.Popen[str]":
    chosen = {"LINEWASH_HOME": str(home), "LINEWASH_REGISTRY": FAKES, "LINEWASH_PRELOAD": "fake"} | settings
    chosen["COLUMNS"] = "400"  # so that no sentence is broken at a line's end
    return subprocess.Popen(
        [sys.executable, "-m", "backend", *map(str, arguments)],
        cwd=PROJECT,
        env=os.environ | chosen,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=_heed_interrupts,
    )


def _heed_interrupts() -> None:
    """Shells start what runs in the background with interrupts ignored, and so their children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def output_of(process: "subprocess.Popen[str]", status: int) -> str:
    text, _ = process.communicate(timeout=240)
    assert process.returncode == status, text
    assert "Traceback" not in text
    return text


@pytest.fixture
def drawing(tmp_path: Path) -> list[object]:
    """Arguments of ``colorize`` that fit."""
    (tmp_path / "girl.png").write_bytes(images.lines())
    (tmp_path / "colors.png").write_bytes(images.reference())
    return ["colorize", tmp_path / "girl.png", "-r", tmp_path / "colors.png", "--out", tmp_path / "out", "--model", "fake"]


def test_colorize_writes_layers_and_an_openraster_file(backend: BackendProcess, drawing: list[object], tmp_path: Path) -> None:
    text = output_of(linewash(backend.home, *drawing, "--seed", 2, "--steps", 3, "--finish", "flats"), 0)
    out = tmp_path / "out"
    assert "girl.ora" in text
    assert sorted(path.name for path in out.iterdir()) == [
        "background.png",
        "composite.png",
        "foreground.png",
        "girl.ora",
        "lines.png",
    ]
    with zipfile.ZipFile(out / "girl.ora") as file:
        first = file.infolist()[0]
        assert (first.filename, first.compress_type, file.read(first)) == ("mimetype", zipfile.ZIP_STORED, b"image/openraster")
        root = ElementTree.fromstring(file.read("stack.xml"))
        stack = root[0]
        assert [(e.tag, e.get("name"), e.get("composite-op")) for e in stack] == [
            ("layer", "Lines", "svg:src-over"),
            ("stack", "Linewash 2 · fake", "svg:src-over"),
        ]
        assert [layer.get("name") for layer in stack[1]] == ["Foreground", "Background"]
        for layer in root.iter("layer"):
            assert file.read(layer.get("src", ""))[:4] == b"\x89PNG"
        assert file.read("Thumbnails/thumbnail.png")
        with file.open("mergedimage.png") as merged, Image.open(merged) as image:
            assert image.size == (images.WIDTH, images.HEIGHT)
            assert image.getpixel((images.WIDTH // 5 + 1, images.HEIGHT // 2)) == (0, 0, 0, 255)
    assert backend.client.jobs() == [], "a written result is acknowledged"


def test_lines_on_paper_are_multiplied(backend: BackendProcess, drawing: list[object], tmp_path: Path) -> None:
    with Image.open(tmp_path / "girl.png") as image:
        paper = Image.new("RGBA", image.size, "white")
        paper.alpha_composite(image)
        paper.convert("RGB").save(tmp_path / "girl.png")
    output_of(linewash(backend.home, *drawing), 0)
    with zipfile.ZipFile(tmp_path / "out" / "girl.ora") as file:
        assert ElementTree.fromstring(file.read("stack.xml"))[0][0].get("composite-op") == "svg:multiply"
        with file.open("mergedimage.png") as merged, Image.open(merged) as image:
            whole = np.asarray(image)
    with Image.open(tmp_path / "out" / "composite.png") as image:
        colors = np.asarray(image)
    center = (images.HEIGHT // 2, images.WIDTH // 3)
    assert np.array_equal(whole[center], colors[center]) and whole[images.HEIGHT // 2, images.WIDTH // 5 + 1, :3].max() < 30


def test_lines_of_an_image_take_its_place(backend: BackendProcess, drawing: list[object], tmp_path: Path) -> None:
    with Image.open(tmp_path / "girl.png") as image:
        paint = Image.new("RGBA", image.size, (230, 180, 120))
        paint.alpha_composite(image)
        paint.convert("RGB").save(tmp_path / "girl.png")
    output_of(linewash(backend.home, *drawing, "--lines-as", "xdog"), 0)
    with zipfile.ZipFile(tmp_path / "out" / "girl.ora") as file:
        assert ElementTree.fromstring(file.read("stack.xml"))[0][0].get("composite-op") == "svg:src-over"
        with file.open("data/lines.png") as packed, Image.open(packed) as image:
            lines = np.asarray(image)
    assert lines[images.HEIGHT // 2, images.WIDTH // 5 + 1].tolist() == [0, 0, 0, 255]
    assert lines[5, 5].tolist()[3] == 0
    assert "charcoal" in output_of(linewash(backend.home, *drawing, "--lines-as", "charcoal"), 2)


def test_colorize_starts_a_server_when_none_runs_and_ends_it(drawing: list[object], tmp_path: Path) -> None:
    (tmp_path / "mask.png").write_bytes(images.mask())
    output_of(linewash(tmp_path / "home", *drawing, "--foreground", tmp_path / "mask.png"), 0)
    assert find_server(tmp_path / "home") is None
    assert list((tmp_path / "home" / "jobs").iterdir()) == []


def write_mask(path: Path, rows: slice, columns: slice, size: tuple[int, int] = (images.WIDTH, images.HEIGHT)) -> Path:
    mask = np.zeros(size[::-1], np.uint8)
    mask[rows, columns] = 255
    path.write_bytes(png.encode(mask))
    return path


def test_masks_are_united(backend: BackendProcess, drawing: list[object], tmp_path: Path) -> None:
    """One each for two figures; what the fake model finds is the left half."""
    right, top = slice(images.WIDTH - 30, images.WIDTH - 10), slice(4, 20)
    masks = [write_mask(tmp_path / "a.png", top, right), write_mask(tmp_path / "b.png", slice(100, 120), right)]
    chosen = [argument for mask in masks for argument in ("--foreground", mask)]
    for found, more in ((0, ()), (255, ("--find-foreground",))):
        output_of(linewash(backend.home, *drawing, *chosen, *more), 0)
        with Image.open(tmp_path / "out" / "foreground.png") as image:
            alpha = np.asarray(image)[..., 3]
        assert alpha[12, images.WIDTH - 20] == alpha[110, images.WIDTH - 20] == 255
        assert alpha[60, images.WIDTH - 20] == 0 and alpha[110, 5] == found


def test_a_mask_that_does_not_fit_is_named(backend: BackendProcess, drawing: list[object], tmp_path: Path) -> None:
    good = write_mask(tmp_path / "good.png", slice(4, 20), slice(4, 20))
    small = write_mask(tmp_path / "small.png", slice(4, 20), slice(4, 20), (50, 60))
    empty = write_mask(tmp_path / "empty.png", slice(0), slice(0))
    text = output_of(linewash(backend.home, *drawing, "--foreground", good, "--foreground", small), 2)
    assert "small.png is 50 x 60, the image it is for 160 x 128" in text
    text = output_of(linewash(backend.home, *drawing, "--foreground", empty, "--foreground", good), 2)
    assert "empty.png is empty" in text


def test_ctrl_c_cancels_the_job(backend: BackendProcess, drawing: list[object]) -> None:
    process = linewash(backend.home, *[*drawing[:-1], "slow"], "--steps", 200)
    limit = time.monotonic() + 120
    while not any(job.step for job in backend.client.jobs()) and time.monotonic() < limit:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert "Cancelled" in output_of(process, 130)
    backend.wait_for_worker("ready")
    assert [job.state.value for job in backend.client.jobs()] == ["cancelled"]


def test_a_failure_is_a_sentence(backend: BackendProcess, drawing: list[object], tmp_path: Path) -> None:
    assert "The model file is damaged. Download it again" in output_of(linewash(backend.home, *[*drawing[:-1], "damaged"]), 1)
    (tmp_path / "colors.png").write_bytes(b"no image")
    assert "not an image" in output_of(linewash(backend.home, *drawing), 2)
    (tmp_path / "colors.png").unlink()
    assert "does not exist" in output_of(linewash(backend.home, *drawing), 2)


def test_models_lists_them(backend: BackendProcess) -> None:
    assert "fake  Fake, MIT, ready" in output_of(linewash(backend.home, "models"), 0)


def test_the_doctor_finds_a_healthy_backend(tmp_path: Path) -> None:
    text = output_of(linewash(tmp_path, "doctor"), 0)
    assert "wrong" not in text and "Models ready" in text and "torch" in text
    assert re.search(r"ok     Devices: Processor, \d+\.\d GB of memory free \(cpu\)\.", text), text
    assert re.search(
        r"ok     Runs on Processor \(cpu\), the best one; large networks compute in (bfloat16|float32 where)", text
    ), text


def test_the_doctor_lists_devices_and_says_what_a_choice_comes_to(tmp_path: Path) -> None:
    (tmp_path / "cards").mkdir()
    computer = {"LINEWASH_REGISTRY": "tests.api.fake_devices", "LINEWASH_CARDS": str(tmp_path / "cards")}
    settings = settings_file(tmp_path)
    settings.write_text(json.dumps({"device": "cuda:1", "number_format": "float16"}))
    text = output_of(linewash(tmp_path, "doctor", **computer), 0)
    assert "ok     Devices: NVIDIA RTX 3060, 12 GB (cuda:0); NVIDIA GTX 1650, 4 GB (cuda:1); Processor (2 cores), " in text
    assert f"GB of memory free (cpu). {HINT}\n" in text
    assert "ok     Runs on NVIDIA GTX 1650, 4 GB (cuda:1), as chosen; large networks compute in float16, as set.\n" in text
    (tmp_path / "cards" / "gone").write_text("cuda:1")
    assert "wrong  It is not there any more.\n" in output_of(linewash(tmp_path, "doctor", **computer), 1)


def test_device_shows_and_chooses(tmp_path: Path) -> None:
    (tmp_path / "cards").mkdir()
    computer = {"LINEWASH_REGISTRY": "tests.api.fake_devices", "LINEWASH_CARDS": str(tmp_path / "cards")}
    rows = ("* cuda:0   NVIDIA RTX 3060, 12 GB", "  cuda:1   NVIDIA GTX 1650, 4 GB", "  cpu      Processor (2 cores)")
    shown = output_of(linewash(tmp_path, "device", **computer), 0)
    assert shown.splitlines() == [*rows, "The best one is chosen automatically; * computes.", HINT]
    assert "Chosen: cpu; * computes." in output_of(linewash(tmp_path, "device", "cpu", **computer), 0)
    assert read_choice(settings_file(tmp_path)) == "cpu"
    refused = output_of(linewash(tmp_path, "device", "cuda:7", **computer), 1)
    assert "That device cannot be chosen now." in refused and "there is no cuda:7" in refused
    later = output_of(linewash(tmp_path, "device", **computer), 0)
    assert "* cpu      Processor (2 cores)" in later and "  cuda:0" in later


def test_what_a_painter_should_know_about_devices_follows_the_list() -> None:
    devices = (DeviceInfo("cuda:0", "NVIDIA RTX 3060, 12 GB"), DeviceInfo("cpu", "Processor (2 cores)"))
    status = DeviceStatus(devices, "cuda:0", "cpu", pending=True, problem="It has failed.", hints=("Update the driver.",))
    assert describe_devices(status) == [
        "  cuda:0   NVIDIA RTX 3060, 12 GB",
        "* cpu      Processor (2 cores)",
        "Chosen: cuda:0; * computes.",
        "The choice takes effect when the running job has ended.",
        "It has failed.",
        "Update the driver.",
    ]


def test_the_doctor_says_what_is_wrong(tmp_path: Path) -> None:
    text = output_of(linewash(tmp_path, "doctor", LINEWASH_PRELOAD="damaged"), 1)
    assert "wrong  A model is not ready. Run install.py again." in text
    (tmp_path / "file").touch()
    assert "cannot be written" in output_of(linewash(tmp_path / "file" / "home", "doctor"), 1)


def test_tools_are_passed_on_with_their_own_help(tmp_path: Path) -> None:
    assert {"train", "evaluate"} <= set(output_of(linewash(tmp_path, "--help"), 0).split())
    assert "linewash train" in output_of(linewash(tmp_path, "train", "--help"), 0)


def test_the_command_line_loads_no_torch() -> None:
    code = "import backend.cli.app, sys; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
