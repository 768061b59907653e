"""Hints and selections through a real server, its worker process and the command line."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from shared.client import Client
from shared.errors import ErrorCode, LinewashError
from shared.protocol import Finish, ForegroundSource, JobState
from tests.api import images
from tests.api.backend_process import BackendProcess
from tests.api.following import last, send
from tests.api.test_cli import drawing, linewash, output_of  # noqa: F401  drawing is a fixture

INSIDE = (images.HEIGHT // 2, images.WIDTH // 3)


def decoded(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)


def test_a_hint_is_exact_in_its_region(client: Client) -> None:
    wanted = images.request(hints=True, finish=Finish.FLATS)
    job = last(client, send(client, wanted))
    assert job.state is JobState.DONE
    whole = decoded(client.layer(job.id, "composite"))
    assert tuple(whole[INSIDE]) == (*images.HINT, 255)
    assert (whole[40:90, 45:75] == (*images.HINT, 255)).all()
    assert tuple(whole[5, 150]) != (*images.HINT, 255)


def test_a_recolored_selection_leaves_every_byte_outside(client: Client) -> None:
    wanted = images.request(selection_mask=True, previous=True, seed=7)
    sent = images.parts(wanted)
    job = last(client, send(client, wanted, sent))
    assert job.state is JobState.DONE
    selected = decoded(sent["selection_mask"]) > 0
    for name in ("foreground", "background"):
        result, before = decoded(client.layer(job.id, name)), decoded(sent["previous_" + name])
        assert np.array_equal(result[~selected], before[~selected])
    result = decoded(client.layer(job.id, "foreground"))
    assert np.abs(result[INSIDE].astype(int) - (*(c + 7 for c in images.RED), 255)).max() <= 1


@pytest.mark.parametrize(
    ("part", "data", "code"),
    [
        ("hints", images.hints(images.WIDTH + 1), ErrorCode.HINTS_SIZE),
        ("selection_mask", images.mask(images.WIDTH, images.HEIGHT + 1), ErrorCode.SELECTION_MASK_SIZE),
        ("previous_foreground", images.layer(9, images.WIDTH - 1), ErrorCode.PREVIOUS_SIZE),
        ("previous_background", images.layer(9, 8000, 70), ErrorCode.PREVIOUS_SIZE),
    ],
)
def test_another_size_is_refused_by_the_header(client: Client, part: str, data: bytes, code: ErrorCode) -> None:
    wanted = images.request(hints=True, selection_mask=True, previous=True)
    with pytest.raises(LinewashError) as caught:
        send(client, wanted, images.parts(wanted) | {part: data})
    assert caught.value.code is code and client.jobs() == []


@pytest.mark.parametrize(
    ("part", "code"), [("hints", ErrorCode.EMPTY_HINTS), ("selection_mask", ErrorCode.EMPTY_SELECTION_MASK)]
)
def test_nothing_painted_and_nothing_selected_are_refused(client: Client, part: str, code: ErrorCode) -> None:
    wanted = images.request(hints=True, selection_mask=True, previous=True)
    blank = io.BytesIO()
    Image.new("RGBA" if part == "hints" else "L", (images.WIDTH, images.HEIGHT)).save(blank, "PNG")
    job = last(client, send(client, wanted, images.parts(wanted) | {part: blank.getvalue()}))
    assert job.error is not None and job.error.code is code


def test_a_selection_needs_an_earlier_result(client: Client) -> None:
    with pytest.raises(LinewashError) as caught:
        send(client, images.request(selection_mask=True))
    assert caught.value.code is ErrorCode.NO_PREVIOUS


def test_the_command_line_recolors_a_part_of_its_own_result(
    backend: BackendProcess,
    drawing: list[object],  # noqa: F811
    tmp_path: Path,
) -> None:
    (tmp_path / "hints.png").write_bytes(images.hints())
    (tmp_path / "region.png").write_bytes(images.mask())
    output_of(linewash(backend.home, *drawing, "--hints", tmp_path / "hints.png", "--finish", "flats"), 0)
    first = decoded((tmp_path / "out" / "composite.png").read_bytes())
    assert tuple(first[INSIDE]) == (*images.HINT, 255)
    again = [*drawing, "--selection", tmp_path / "region.png"]
    again[again.index(tmp_path / "out")] = tmp_path / "again"
    assert "no earlier result" in output_of(linewash(backend.home, *again), 1)
    output_of(linewash(backend.home, *again, "--previous", tmp_path / "out", "--seed", 30), 0)
    second = decoded((tmp_path / "again" / "composite.png").read_bytes())
    selected = decoded(images.mask()) > 0
    assert np.array_equal(first[~selected], second[~selected])
    assert tuple(second[INSIDE]) != tuple(first[INSIDE])


def test_a_mask_may_come_with_a_selection(client: Client) -> None:
    wanted = images.request(selection_mask=True, previous=True, foreground=ForegroundSource.MASK)
    assert last(client, send(client, wanted)).state is JobState.DONE
