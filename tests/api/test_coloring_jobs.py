"""A job from request to acknowledged layers, through a real server and its worker process."""

import io
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from backend.imaging import png
from shared.client import Client
from shared.errors import ErrorCode, LinewashError
from shared.line_preparation import LinePreparation
from shared.protocol import LAYER_LINES, LAYERS, ForegroundSource, JobState, ReferenceRole
from tests.api import images
from tests.api.backend_process import BackendProcess
from tests.api.following import last, send, until


def decoded(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == "PNG" and image.mode == "RGBA"
        return np.asarray(image)


def test_layers_come_back_at_canvas_size_in_the_reference_color(client: Client) -> None:
    wanted = images.request(foreground=ForegroundSource.MASK, seed=3)
    job = send(client, wanted)
    assert job.state in (JobState.QUEUED, JobState.RUNNING)
    done = last(client, job)
    assert (done.state, done.progress, done.error, done.seed) == (JobState.DONE, 1.0, None, 3)
    assert done.layers == LAYERS
    assert {"prepare", "condition", "denoise", "decode", "layers"} <= set(done.seconds)
    layers = {name: decoded(client.layer(job.id, name)) for name in LAYERS}
    assert {layer.shape for layer in layers.values()} == {(images.HEIGHT, images.WIDTH, 4)}
    assert layers["background"][..., 3].min() == layers["composite"][..., 3].min() == 255
    center = layers["foreground"][images.HEIGHT // 2, images.WIDTH // 3]
    assert np.abs(center.astype(int) - (*(c + 3 for c in images.RED), 255)).max() <= 1
    assert layers["foreground"][5, -5, 3] == 0


def test_a_mask_is_united_with_what_is_found(client: Client) -> None:
    """The fake finds the left half; the mask is the lower half."""
    lower = np.zeros((images.HEIGHT, images.WIDTH), np.uint8)
    lower[images.HEIGHT // 2 :] = 255
    wanted = images.request(foreground=ForegroundSource.MASK_AND_AUTOMATIC)
    done = last(client, send(client, wanted, images.parts(wanted) | {"foreground": png.encode(lower)}))
    foreground = decoded(client.layer(done.id, "foreground"))[..., 3]
    bottom, right = images.HEIGHT - 5, images.WIDTH - 5
    assert foreground[5, 5] == foreground[bottom, 5] == foreground[bottom, right] == 255 and foreground[5, right] == 0


def test_lines_that_were_looked_for_come_along(client: Client) -> None:
    done = last(client, send(client, images.request(preparation=LinePreparation.DODGE)))
    assert done.layers == (*LAYERS, LAYER_LINES)
    lines = decoded(client.layer(done.id, LAYER_LINES))
    assert lines.shape == (images.HEIGHT, images.WIDTH, 4) and not lines[..., :3].any()
    assert lines[images.HEIGHT // 2, images.WIDTH // 5 + 1, 3] > 200 and lines[2, 2, 3] == 0
    plain = last(client, send(client, images.request()))
    with pytest.raises(LinewashError) as caught:
        client.layer(plain.id, LAYER_LINES)
    assert caught.value.code is ErrorCode.BAD_REQUEST


def test_previews_arrive_while_it_runs(client: Client) -> None:
    job = send(client, images.request("slow", steps=20))
    status = until(client, job, lambda status: status.preview >= 2)
    assert status.state is JobState.RUNNING and status.stage == "denoise" and 0.2 <= status.progress < 0.9
    with Image.open(io.BytesIO(client.preview(job.id))) as preview:
        assert preview.format == "PNG" and max(preview.size) <= 256
    assert last(client, job).preview == 20


def test_progress_never_falls_and_there_is_one_end(client: Client) -> None:
    statuses = list(client.follow(send(client, images.request("slow", steps=5)).id))
    progress, revisions = [status.progress for status in statuses], [status.revision for status in statuses]
    assert progress == sorted(progress) and revisions == sorted(set(revisions))
    assert [status.state.terminal for status in statuses] == [False] * (len(statuses) - 1) + [True]


def test_acknowledge_deletes_and_may_be_repeated(backend: BackendProcess, client: Client) -> None:
    job = last(client, send(client, images.request()))
    folder = backend.home / "jobs" / job.id
    assert (folder / "result" / "composite.png").is_file() and not (folder / "inputs").exists()
    client.acknowledge(job.id)
    client.acknowledge(job.id)
    assert not folder.exists()
    with pytest.raises(LinewashError) as caught:
        client.layer(job.id, "composite")
    assert caught.value.code is ErrorCode.JOB_UNKNOWN


def test_layers_are_streamed_to_files(client: Client, tmp_path: Path) -> None:
    job = last(client, send(client, images.request()))
    client.save_layer(job.id, "background", tmp_path / "b.png")
    assert (tmp_path / "b.png").read_bytes() == client.layer(job.id, "background")
    assert [path.name for path in tmp_path.iterdir()] == ["b.png"]


def test_images_may_be_files(client: Client, tmp_path: Path) -> None:
    wanted = images.request(references=(ReferenceRole.BOTH, ReferenceRole.BACKGROUND))
    paths = {}
    for name, data in images.parts(wanted).items():
        paths[name] = tmp_path / name
        paths[name].write_bytes(data)
    assert last(client, send(client, wanted, paths)).state is JobState.DONE


def test_a_layer_is_not_there_before_the_job_is_done(client: Client) -> None:
    job = send(client, images.request("slow", steps=30))
    calls: tuple[Callable[[], object], ...] = (lambda: client.layer(job.id, "composite"), lambda: client.acknowledge(job.id))
    for call in calls:
        with pytest.raises(LinewashError) as caught:
            call()
        assert caught.value.code is ErrorCode.JOB_NOT_DONE


@pytest.mark.parametrize(
    ("model", "changes", "code"),
    [
        ("damaged", {}, ErrorCode.MODEL_CORRUPT),
        ("bug", {}, ErrorCode.INTERNAL),
        ("fake", {"foreground": ForegroundSource.MASK, "empty_mask": True}, ErrorCode.EMPTY_MASK),
        ("fake", {"empty_lines": True}, ErrorCode.EMPTY_LINES),
        ("fake", {"empty_reference": True}, ErrorCode.EMPTY_REFERENCE),
    ],
)
def test_a_failing_job_says_why_and_the_next_one_works(client: Client, model: str, changes: dict, code: ErrorCode) -> None:
    empty = {name.removeprefix("empty_") for name in changes if name.startswith("empty_")}
    wanted = images.request(model, **{name: value for name, value in changes.items() if not name.startswith("empty_")})
    sent = images.parts(wanted)
    blank = io.BytesIO()
    Image.new("RGBA", (wanted.width, wanted.height)).save(blank, "PNG")
    black = io.BytesIO()
    Image.new("L", (wanted.width, wanted.height)).save(black, "PNG")
    blanks = {"lines": blank.getvalue(), "reference": blank.getvalue(), "mask": black.getvalue()}
    parts_of = {"lines": "lines", "reference": "reference0", "mask": "foreground"}
    sent |= {parts_of[name]: blanks[name] for name in empty}
    failed = last(client, send(client, wanted, sent))
    assert failed.state is JobState.FAILED and failed.error is not None and failed.error.code is code
    assert failed.layers == ()
    assert last(client, send(client, images.request())).state is JobState.DONE


def test_a_mistake_of_ours_is_in_the_log_with_its_place(backend: BackendProcess, client: Client) -> None:
    last(client, send(client, images.request("bug")))
    assert "ZeroDivisionError" in backend.log() and "fakes.py" in backend.log()
    assert backend.info.token not in backend.log()


def test_jobs_at_the_same_time_get_their_own_results(start: Callable[..., BackendProcess]) -> None:
    client = start(devices="cpu,cpu").client
    colors = [(200, 80, 40), (40, 160, 90), (70, 60, 210), (230, 210, 60)]
    results: dict[int, np.ndarray] = {}

    def color(number: int) -> None:
        wanted = images.request("slow", seed=0)
        job = send(client, wanted, images.parts(wanted, colors[number]))
        last(client, job)
        results[number] = decoded(client.layer(job.id, "foreground"))[images.HEIGHT // 2, images.WIDTH // 3]

    threads = [threading.Thread(target=color, args=(number,)) for number in range(len(colors))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for number, expected in enumerate(colors):
        assert np.abs(results[number][:3].astype(int) - expected).max() <= 1
    assert len({row["pid"] for row in client.system()["workers"]}) == 2
