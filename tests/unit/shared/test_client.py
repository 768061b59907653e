"""The client against answers no backend of ours gives: it raises LinewashError and nothing else, and repeats what it may."""

import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from shared.client import ATTEMPTS, Client, find_server
from shared.errors import ErrorCode, LinewashError
from shared.paths import ServerInfo, server_file
from shared.protocol import (
    MAX_PART_BYTES,
    PROTOCOL_VERSION,
    TOKEN_HEADER,
    VERSION_HEADER,
    ColorizeRequest,
    Hello,
    JobState,
    JobStatus,
    ReferenceRole,
)
from shared.request_parts import RequestParts

Answer = tuple[int, bytes]
REQUEST = ColorizeRequest(64, 64, (ReferenceRole.BOTH,))
PARTS = RequestParts(b"image", (b"reference",))
JOB = JobStatus("a", JobState.QUEUED)


class Script(ThreadingHTTPServer):
    """Answers with what it was given, one after the other and the last for ever; None breaks the connection."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[Answer | None] = []
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.hold = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    server: Script

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        script = self.server
        script.requests.append((self.command, self.path, dict(self.headers), body))
        answer = script.answers.pop(0) if len(script.answers) > 1 else script.answers[0]
        self.close_connection = True
        if answer is None:
            return
        if answer[0] == 0:  # never answers
            script.hold.wait(10)
            return
        self.send_response(answer[0])
        self.send_header("Content-Length", str(len(answer[1])))
        self.end_headers()
        self.wfile.write(answer[1])

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815  the names http.server looks for

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def script() -> Iterator[Script]:
    server = Script()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.hold.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def client(script: Script) -> Iterator[Client]:
    with Client(ServerInfo("127.0.0.1", script.server_port, "secret", 1, PROTOCOL_VERSION, "0"), timeout_s=0.5) as found:
        yield found


def body(data: object) -> bytes:
    return json.dumps(data).encode()


def code_of(call: Callable[[], object]) -> ErrorCode:
    with pytest.raises(LinewashError) as caught:
        call()
    return caught.value.code


@pytest.mark.parametrize(
    "answer",
    [
        (200, b"<html>"),
        (200, b""),
        (200, b"[]"),
        (200, b"{}"),
        (200, b"\xff"),
        (500, b"oops"),
        (404, b"{}"),
        (302, b""),
        (400, b"[]"),
    ],
)
def test_an_answer_that_is_not_ours_is_internal(script: Script, client: Client, answer: Answer) -> None:
    script.answers = [answer]
    calls: tuple[Callable[[], object], ...] = (client.hello, client.jobs, client.models, lambda: client.status("a"))
    for call in calls:
        assert code_of(call) is ErrorCode.INTERNAL


def test_an_error_of_ours_comes_back_as_itself(script: Script, client: Client) -> None:
    script.answers = [(429, body({"error": LinewashError(ErrorCode.QUEUE_FULL, "16").to_json()}))]
    assert code_of(lambda: client.submit(REQUEST, PARTS, "k")) is ErrorCode.QUEUE_FULL
    assert len(script.requests) == 1


def test_another_protocol_is_a_version_mismatch(script: Script, client: Client) -> None:
    script.answers = [(200, body(Hello("linewash", "9.0", PROTOCOL_VERSION + 1, 1).to_json()))]
    assert code_of(client.hello) is ErrorCode.VERSION_MISMATCH


def test_another_product_is_not_ours(script: Script, client: Client) -> None:
    script.answers = [(200, body(Hello("paintd", "1", PROTOCOL_VERSION, 1).to_json()))]
    assert code_of(client.hello) is ErrorCode.INTERNAL


def test_every_call_carries_token_and_protocol(script: Script, client: Client) -> None:
    script.answers = [(200, body({"jobs": []}))]
    client.jobs()
    _, _, headers, _ = script.requests[0]
    assert headers[TOKEN_HEADER] == "secret" and headers[VERSION_HEADER] == str(PROTOCOL_VERSION)
    assert "Origin" not in headers and headers["Host"] == "127.0.0.1:%d" % script.server_port


def test_a_broken_connection_is_tried_again_with_the_same_key_and_body(script: Script, client: Client) -> None:
    script.answers = [None, None, (202, body(JOB.to_json()))]
    assert client.submit(REQUEST, PARTS, "the key") == JOB
    assert len(script.requests) == ATTEMPTS
    assert {headers["Idempotency-Key"] for _, _, headers, _ in script.requests} == {"the key"}
    assert len({sent for _, _, _, sent in script.requests}) == 1 and b"image" in script.requests[0][3]


@pytest.mark.parametrize("call", ["jobs", "hello"])
def test_a_connection_that_stays_broken_means_gone(script: Script, client: Client, call: str) -> None:
    script.answers = [None]
    assert code_of(getattr(client, call)) is ErrorCode.BACKEND_GONE
    assert len(script.requests) == ATTEMPTS


def test_a_shutdown_is_not_repeated(script: Script, client: Client) -> None:
    script.answers = [None]
    assert code_of(client.shutdown) is ErrorCode.BACKEND_GONE
    assert len(script.requests) == 1


def test_silence_means_gone(script: Script, client: Client) -> None:
    script.answers = [(0, b"")]
    assert code_of(client.hello) is ErrorCode.BACKEND_GONE
    assert len(script.requests) == 1


def test_nobody_there_means_gone(script: Script) -> None:
    server = Script()
    server.server_close()
    with Client(ServerInfo("127.0.0.1", server.server_port, "t", 1, 1, "0")) as client:
        assert code_of(client.hello) is ErrorCode.BACKEND_GONE


def test_no_proxy_stands_in_between(script: Script, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    script.answers = [(200, body({"jobs": []}))]
    assert client.jobs() == []


def test_a_redirect_is_not_followed(script: Script, client: Client) -> None:
    script.answers = [(307, b"")]
    assert code_of(lambda: client.layer("a", "composite")) is ErrorCode.INTERNAL
    assert len(script.requests) == 1


def test_an_acknowledged_job_may_be_acknowledged_again(script: Script, client: Client) -> None:
    script.answers = [(404, body({"error": LinewashError(ErrorCode.JOB_UNKNOWN).to_json()}))]
    client.acknowledge("a")


def test_a_layer_that_cannot_be_saved_leaves_no_file(script: Script, client: Client, tmp_path: Path) -> None:
    script.answers = [(404, body({"error": LinewashError(ErrorCode.JOB_UNKNOWN).to_json()}))]
    assert code_of(lambda: client.save_layer("a", "composite", tmp_path / "x.png")) is ErrorCode.JOB_UNKNOWN
    script.answers = [(200, b"image")]
    assert code_of(lambda: client.save_layer("a", "composite", tmp_path / "no folder" / "x.png")) is ErrorCode.INTERNAL
    assert list(tmp_path.iterdir()) == []


def test_images_beyond_the_limit_are_not_sent(script: Script, client: Client, tmp_path: Path) -> None:
    with (tmp_path / "huge.png").open("wb") as file:
        file.truncate(MAX_PART_BYTES + 1)
    assert (
        code_of(lambda: client.submit(REQUEST, replace(PARTS, lines=tmp_path / "huge.png"), "k")) is ErrorCode.REQUEST_TOO_LARGE
    )
    assert script.requests == []


def test_names_cannot_leave_their_place_in_the_path(script: Script, client: Client) -> None:
    script.answers = [(200, b"x")]
    client.layer("../system", "../../etc")
    assert script.requests[0][1] == "/v1/jobs/..%2Fsystem/layers/..%2F..%2Fetc"


def test_following_ends_with_the_terminal_state(script: Script, client: Client) -> None:
    states = (JOB, JobStatus("a", JobState.RUNNING, 1), JobStatus("a", JobState.RUNNING, 1), JobStatus("a", JobState.DONE, 2))
    script.answers = [(200, body(status.to_json())) for status in states]
    assert [status.state for status in client.follow("a")] == [JobState.QUEUED, JobState.RUNNING, JobState.DONE]
    assert "after=1" in script.requests[-1][1]


def test_a_server_is_found_by_its_file(script: Script, client: Client, tmp_path: Path) -> None:
    assert find_server(tmp_path) is None
    server_file(tmp_path).parent.mkdir()

    info = ServerInfo("127.0.0.1", script.server_port, "t", os.getpid(), 1, "0")
    server_file(tmp_path).write_text(json.dumps(info.to_json()))
    script.answers = [(200, body(Hello("linewash", "0", PROTOCOL_VERSION, 1).to_json()))]
    with find_server(tmp_path) as found:
        assert found.info == info
    script.answers = [(401, body({"error": LinewashError(ErrorCode.BAD_TOKEN).to_json()}))]
    assert find_server(tmp_path) is None
    script.answers = [(200, body(Hello("linewash", "0", PROTOCOL_VERSION + 1, 1).to_json()))]
    assert code_of(lambda: find_server(tmp_path)) is ErrorCode.VERSION_MISMATCH
