"""Sizes are judged while a request arrives, before a pixel is decoded; the shared backend takes 2 MB a part, 3 MB in all."""

import http.client
import json
import struct
import time
import zlib

import pytest

from shared.client import Client
from shared.errors import ErrorCode, LinewashError
from shared.multipart import MultipartBody
from shared.protocol import MAX_JSON_BYTES, ForegroundSource, JobState, ReferenceRole
from tests.api import images
from tests.api.backend_process import BackendProcess
from tests.api.following import last, send
from tests.api.raw import call, code_of, honest, upload


def header_only(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds nothing: what a decompression bomb looks like from outside."""
    about = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + about + struct.pack(">I", zlib.crc32(about)) + bytes(64)


def refusal(client: Client, **replaced: bytes) -> ErrorCode:
    wanted = images.request(foreground=ForegroundSource.MASK)
    with pytest.raises(LinewashError) as caught:
        send(client, wanted, images.parts(wanted) | replaced)
    return caught.value.code


@pytest.mark.parametrize(
    ("part", "data", "code"),
    [
        ("lines", images.lines(images.WIDTH + 1), ErrorCode.BAD_IMAGE),
        ("lines", header_only(60000, 60000), ErrorCode.BAD_IMAGE),
        ("foreground", images.mask(images.WIDTH, images.HEIGHT - 1), ErrorCode.MASK_SIZE),
        ("foreground", header_only(2**31 - 1, 2**31 - 1), ErrorCode.MASK_SIZE),
        ("reference0", header_only(8193, 10), ErrorCode.REQUEST_TOO_LARGE),
        ("reference0", header_only(0, 10), ErrorCode.BAD_IMAGE),
        ("reference0", b"", ErrorCode.BAD_IMAGE),
        ("reference0", b"\xff\xd8\xff\xe0" + bytes(100), ErrorCode.BAD_IMAGE),
        ("reference0", header_only(64, 64)[:32], ErrorCode.BAD_IMAGE),
    ],
)
def test_an_image_of_the_wrong_size_is_refused_by_its_header(client: Client, part: str, data: bytes, code: ErrorCode) -> None:
    assert refusal(client, **{part: data}) is code
    assert client.jobs() == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"width": 8193}, ErrorCode.CANVAS_TOO_LARGE),
        ({"height": 63}, ErrorCode.CANVAS_TOO_SMALL),
        ({"references": []}, ErrorCode.NO_REFERENCE),
        ({"references": ["both"] * 9}, ErrorCode.TOO_MANY_REFERENCES),
        ({"model": "../../etc/passwd"}, ErrorCode.UNKNOWN_MODEL),
        ({"steps": 0}, ErrorCode.BAD_REQUEST),
        ({"guidance": float("nan")}, ErrorCode.BAD_REQUEST),
        ({"surprise": 1}, ErrorCode.BAD_REQUEST),
    ],
)
def test_a_request_outside_its_limits_has_its_own_sentence(backend: BackendProcess, changes: dict, code: ErrorCode) -> None:
    wanted = images.request()
    status, answer = upload(backend.info, json.dumps(wanted.to_json() | changes).encode(), images.parts(wanted))
    assert code_of(answer) is code and status >= 400


def test_parts_must_be_the_ones_asked_for(backend: BackendProcess) -> None:
    wanted = images.request()
    fitting, about = images.parts(wanted), json.dumps(wanted.to_json()).encode()
    wrong = (
        {"lines": fitting["lines"]},
        fitting | {"foreground": images.mask()},
        fitting | {"reference1": fitting["reference0"]},
        fitting | {"../../escape": fitting["lines"]},
    )
    for parts in wrong:
        status, answer = upload(backend.info, about, parts)
        assert (status, code_of(answer)) == (400, ErrorCode.BAD_REQUEST)
    assert not list((backend.home / "jobs").glob("incoming-*"))


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data", "multipart/form-data; boundary=", ""])
def test_a_body_of_another_kind_is_refused(backend: BackendProcess, kind: str) -> None:
    status, answer = upload(backend.info, b"{}", {}, **{"Content-Type": kind})
    assert (status, code_of(answer)) == (400, ErrorCode.BAD_REQUEST)


def test_a_long_request_part_is_refused(backend: BackendProcess) -> None:
    status, answer = upload(backend.info, b" " * (MAX_JSON_BYTES + 1), {})
    assert (status, code_of(answer)) == (413, ErrorCode.REQUEST_TOO_LARGE)


def test_one_large_part_is_refused(backend: BackendProcess) -> None:
    wanted = images.request()
    large = header_only(images.WIDTH, images.HEIGHT) + bytes(2_000_000)
    status, answer = upload(backend.info, json.dumps(wanted.to_json()).encode(), images.parts(wanted) | {"lines": large})
    assert (status, code_of(answer)) == (413, ErrorCode.REQUEST_TOO_LARGE)


def test_a_chunked_body_is_counted_while_it_streams(backend: BackendProcess) -> None:
    wanted = images.request(references=(ReferenceRole.BOTH,) * 2)
    padding = bytes(1_800_000)
    parts = {"lines": header_only(images.WIDTH, images.HEIGHT) + padding, "reference0": header_only(9, 9) + padding}
    body = MultipartBody(json.dumps(wanted.to_json()).encode(), parts)
    headers = honest(backend.info) | {"Content-Type": body.content_type}
    status, answer = call(backend.info, "POST", "/v1/jobs", headers, b"".join(body), chunked=True)
    assert (status, code_of(answer)) == (413, ErrorCode.REQUEST_TOO_LARGE)


def test_an_upload_that_breaks_off_leaves_nothing(backend: BackendProcess, client: Client) -> None:
    body = MultipartBody(json.dumps(images.request().to_json()).encode(), images.parts(images.request()))
    connection = http.client.HTTPConnection("127.0.0.1", backend.info.port, timeout=10)
    headers = honest(backend.info) | {"Content-Type": body.content_type, "Content-Length": str(len(body))}
    connection.request("POST", "/v1/jobs", b"".join(body)[:-200], headers)
    connection.close()
    limit = time.monotonic() + 10
    while list((backend.home / "jobs").iterdir()) and time.monotonic() < limit:
        time.sleep(0.02)
    assert list((backend.home / "jobs").iterdir()) == []
    assert last(client, send(client, images.request())).state is JobState.DONE
