"""Whatever arrives, the answer is a row of the error table or a job, and the next job works."""

import json
import uuid

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.client import Client
from shared.errors import ErrorCode
from shared.protocol import JobState
from tests.api import images
from tests.api.backend_process import BackendProcess
from tests.api.following import last, send
from tests.api.raw import call, code_of, honest, upload

FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.dictionaries(st.sampled_from(sorted(images.request().to_json())), JSON, max_size=3)


def answered(status: int, answer: object) -> None:
    """A job, or an error of ours that is no accident."""
    assert isinstance(answer, dict)
    if status != 202:
        assert code_of(answer) is not ErrorCode.INTERNAL


@FEW
@given(changes=FIELDS)
def test_any_field_may_hold_anything(backend: BackendProcess, changes: dict[str, object]) -> None:
    wanted = images.request()
    answered(*upload(backend.info, json.dumps(wanted.to_json() | changes).encode(), images.parts(wanted)))


@FEW
@given(part=st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_the_request_part_may_be_anything(backend: BackendProcess, part: bytes) -> None:
    answered(*upload(backend.info, part, images.parts(images.request())))


def test_a_request_part_nested_beyond_reason(backend: BackendProcess) -> None:
    answered(*upload(backend.info, b"[" * 60_000, {}))
    answered(*upload(backend.info, b'{"width":' + b"9" * 60_000 + b"}", {}))


@FEW
@given(body=st.binary(max_size=400), boundary=st.sampled_from(["b", "boundary", "-" * 40]))
def test_the_body_may_be_anything(backend: BackendProcess, body: bytes, boundary: str) -> None:
    headers = honest(backend.info) | {"Content-Type": "multipart/form-data; boundary=" + boundary}
    for whole in (body, b"--" + boundary.encode() + b"\r\n" + body):
        status, answer = call(backend.info, "POST", "/v1/jobs", headers, whole)
        assert status >= 400
        answered(status, answer)


@FEW
@given(data=st.binary(max_size=200))
def test_an_image_may_be_anything(backend: BackendProcess, data: bytes) -> None:
    wanted = images.request()
    status, answer = upload(backend.info, json.dumps(wanted.to_json()).encode(), images.parts(wanted) | {"lines": data})
    assert status == 422 and code_of(answer) is ErrorCode.BAD_IMAGE


@FEW
@given(cut=st.integers(33, 300), noise=st.binary(min_size=1, max_size=30), place=st.integers(0, 200))
def test_a_damaged_image_fails_its_job_alone(client: Client, cut: int, noise: bytes, place: int) -> None:
    wanted = images.request(steps=1)
    data = bytearray(images.lines()[:cut])
    data[33 + place : 33 + place + len(noise)] = noise
    ended = last(client, send(client, wanted, images.parts(wanted) | {"lines": bytes(data)}))
    client.acknowledge(ended.id)
    if ended.state is JobState.FAILED:
        assert ended.error is not None
        assert ended.error.code in (ErrorCode.BAD_IMAGE, ErrorCode.EMPTY_LINES)


@FEW
@given(path=st.text(st.characters(codec="ascii", exclude_categories=["Cc", "Zs"]), max_size=40))
def test_a_path_may_be_anything(backend: BackendProcess, path: str) -> None:
    status, answer = call(backend.info, "GET", "/v1/" + path.replace(" ", ""))
    assert status in (200, 400, 404, 405), answer


def test_after_all_that_a_job_works(client: Client) -> None:
    assert last(client, send(client, images.request(), key=uuid.uuid4().hex)).state is JobState.DONE
