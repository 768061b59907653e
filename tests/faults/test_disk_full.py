"""A disk that fills up: that job fails with its sentence, the server and the next job work."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared.errors import ErrorCode, LinewashError
from shared.protocol import JobState
from tests.api import images
from tests.api.backend_process import BackendProcess
from tests.api.following import last, send, until

Starter = Callable[..., BackendProcess]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if mount is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("mounting a small file system needs Linux and root")
    done = subprocess.run([mount, "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip("a small file system cannot be mounted here: %s" % done.stderr.strip())
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Leave not one free byte."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return filler


def test_the_result_does_not_fit(small_disk: Path, start: Starter) -> None:
    backend = start(small_disk)
    client = backend.client
    finished = last(client, send(client, images.request()))
    job = send(client, images.request("slow", steps=10))
    until(client, job, lambda status: status.stage == "denoise")
    filler = fill(small_disk)
    failed = last(client, job)
    assert failed.state is JobState.FAILED and failed.error is not None and failed.error.code is ErrorCode.DISK_FULL
    assert not (small_disk / "jobs" / job.id / "result.partial").exists()
    assert client.layer(finished.id, "composite"), "what was finished before is still there"
    filler.unlink()
    assert last(client, send(client, images.request())).state is JobState.DONE


def test_the_upload_does_not_fit(small_disk: Path, start: Starter) -> None:
    backend = start(small_disk)
    filler = fill(small_disk)
    with pytest.raises(LinewashError) as caught:
        send(backend.client, images.request())
    assert caught.value.code is ErrorCode.DISK_FULL
    assert list((small_disk / "jobs").iterdir()) == [] and backend.client.jobs() == []
    filler.unlink()
    assert last(backend.client, send(backend.client, images.request())).state is JobState.DONE


def test_a_full_disk_at_the_start_does_not_hide_results(small_disk: Path, start: Starter) -> None:
    first = start(small_disk)
    done = last(first.client, send(first.client, images.request()))
    time.sleep(0.2)
    first.kill()
    filler = fill(small_disk)
    filler.write_bytes(filler.read_bytes()[:-16384])  # the runtime file must find a place
    second = start(small_disk)
    assert second.client.status(done.id).state is JobState.DONE
    assert second.client.layer(done.id, "composite")


def test_a_write_that_fails_is_reported_as_a_full_disk(start: Starter) -> None:
    client = start().client
    failed = last(client, send(client, images.request("disk_full")))
    assert failed.error is not None and failed.error.code is ErrorCode.DISK_FULL
    assert last(client, send(client, images.request())).state is JobState.DONE
