"""``POST /v1/bleach``: a background reference without its foreground, and everything it refuses."""

import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from backend.imaging import png
from shared.client import Client
from shared.errors import ErrorCode, LinewashError
from shared.protocol import JobState
from tests.api import images
from tests.api.backend_process import BackendProcess
from tests.api.following import last, send, until
from tests.api.test_cli import linewash, output_of, write_mask
from tests.api.test_limits import header_only


def code_of(client: Client, data: bytes, threshold: float = 0.5, wait_s: float = 30.0) -> ErrorCode:
    with pytest.raises(LinewashError) as caught:
        client.bleach(data, threshold, wait_s)
    return caught.value.code


def test_the_answer_is_the_bleached_image(client: Client, backend: BackendProcess) -> None:
    """The fakes find that all of a reference is foreground, with a mask of 255."""
    bleached = png.decode_rgba(client.bleach(images.reference(side=70)))
    assert bleached.shape == (70, 70, 4) and (bleached == 255).all()
    assert not list((backend.home / "jobs").glob("*")), "nothing is left"


@pytest.mark.parametrize(
    ("data", "threshold", "code"),
    [
        (b"", 0.5, ErrorCode.BAD_IMAGE),
        (b"no image at all, and that for many more bytes", 0.5, ErrorCode.BAD_IMAGE),
        (images.reference()[:100], 0.5, ErrorCode.BAD_IMAGE),
        (png.encode(np.zeros((20, 20, 4), np.uint8)), 0.5, ErrorCode.EMPTY_REFERENCE),
        (header_only(9000, 20), 0.5, ErrorCode.REQUEST_TOO_LARGE),
        (images.reference(), 1.5, ErrorCode.BAD_REQUEST),
        (images.reference(), float("nan"), ErrorCode.BAD_REQUEST),
    ],
    ids=["nothing", "text", "cut off", "transparent", "too large", "threshold", "no number"],
)
def test_refusals(client: Client, backend: BackendProcess, data: bytes, threshold: float, code: ErrorCode) -> None:
    assert code_of(client, data, threshold) is code
    assert not list((backend.home / "jobs").glob("*")), "nothing is left"


def test_a_job_that_runs_goes_first(client: Client) -> None:
    job = send(client, images.request("slow", steps=60))
    until(client, job, lambda status: status.state is JobState.RUNNING)
    assert code_of(client, images.reference(), wait_s=0.2) is ErrorCode.JOB_NOT_DONE
    assert client.bleach(images.reference())
    assert last(client, job).state is JobState.DONE


def test_a_worker_that_dies_does_not_keep_anybody_waiting(client: Client, backend: BackendProcess) -> None:
    assert client.bleach(images.reference())
    codes: list[ErrorCode] = []
    thread, pid = threading.Thread(target=lambda: codes.append(code_of(client, images.reference()))), backend.worker_pid()
    os.kill(pid, signal.SIGSTOP)
    thread.start()
    time.sleep(0.5)
    os.kill(pid, signal.SIGKILL)
    thread.join(40)
    assert codes == [ErrorCode.WORKER_CRASHED]
    assert client.bleach(images.reference()), "the next one has a new worker"


def test_the_command_line(backend: BackendProcess, tmp_path: Path) -> None:
    (tmp_path / "scene.png").write_bytes(images.reference(side=64))
    output_of(linewash(backend.home, "bleach", tmp_path / "scene.png", "--output", tmp_path / "found.png"), 0)
    with Image.open(tmp_path / "found.png") as image:
        assert image.size == (64, 64) and np.asarray(image).min() == 255
    size, rows = (64, 64), slice(2, 9)
    masks = [write_mask(tmp_path / "a.png", rows, slice(4), size), write_mask(tmp_path / "b.png", rows, slice(9, 20), size)]
    chosen = [argument for mask in masks for argument in ("--mask", mask)]
    output_of(linewash(tmp_path / "none", "bleach", tmp_path / "scene.png", "-o", tmp_path / "given.png", *chosen), 0)
    with Image.open(tmp_path / "given.png") as image:
        given = np.asarray(image)
    assert tuple(given[3, 2]) == tuple(given[8, 19]) == (255, 255, 255) and tuple(given[30, 30]) == images.RED
    small = write_mask(tmp_path / "small.png", slice(9), slice(9), (30, 30))
    text = output_of(
        linewash(tmp_path / "none", "bleach", tmp_path / "scene.png", "-o", tmp_path / "no.png", "--mask", small), 2
    )
    assert "small.png is 30 x 30, the image it is for 64 x 64" in text and not (tmp_path / "no.png").exists()
