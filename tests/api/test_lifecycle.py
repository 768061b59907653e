"""One server for each home, its runtime file, and how it ends."""

import json
import os
import shutil
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from shared.client import find_server
from shared.paths import ServerInfo, read_server_info, server_file
from shared.protocol import JobState
from tests.api import images
from tests.api.backend_process import BackendProcess
from tests.api.following import last, send

Starter = Callable[..., BackendProcess]


def write_info(home: Path, **changes: object) -> None:
    """A runtime file as another server might have left it."""
    server_file(home).parent.mkdir(parents=True, exist_ok=True)
    about = {"host": "127.0.0.1", "port": 9, "token": "old", "pid": os.getpid(), "protocol": 1, "version": "0"} | changes
    server_file(home).write_text(json.dumps(about))


@pytest.fixture
def stranger() -> Iterator[int]:
    """The port of another program's web server."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>hello</html>")

        def log_message(self, *arguments: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such modes; the profile folder is private there")
def test_the_token_is_readable_by_its_owner_only(backend: BackendProcess) -> None:
    path = server_file(backend.home)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE((backend.home / "jobs").stat().st_mode) == 0o700
    assert len(backend.info.token) >= 43  # 256 bits in base64


def test_it_listens_on_loopback_alone(backend: BackendProcess) -> None:
    import psutil

    listening = [c.laddr for c in psutil.Process(backend.info.pid).net_connections() if c.status == psutil.CONN_LISTEN]
    assert listening == [("127.0.0.1", backend.info.port)]
    assert read_server_info(backend.home) == backend.info


def test_every_start_has_its_own_token(start: Starter) -> None:
    first = start()
    token, port = first.info.token, first.info.port
    assert first.stop() == 0
    second = start(first.home)
    assert second.info.token != token and second.info.pid != first.info.pid
    assert port > 0


def test_a_second_server_for_the_same_home_is_refused_with_a_sentence(backend: BackendProcess) -> None:
    second = backend.spawn()
    output, _ = second.communicate(timeout=30)
    assert second.returncode == 1
    assert "already runs" in output and str(backend.info.port) in output and str(backend.info.pid) in output
    assert backend.info.token not in output and "Traceback" not in output
    assert find_server(backend.home) is not None


def test_a_taken_port_is_reported_in_a_sentence(backend: BackendProcess, tmp_path: Path) -> None:
    other = BackendProcess(tmp_path)
    process = other.spawn("--port", str(backend.info.port))
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 1 and "cannot start" in output and "Traceback" not in output


@pytest.mark.parametrize("content", ["", "{", "[]", '{"port": 1}', "null", '{"host":"127.0.0.1","port":"x"}', "\0\0"])
def test_a_garbled_runtime_file_is_no_server(tmp_path: Path, content: str) -> None:
    server_file(tmp_path).parent.mkdir(parents=True)
    server_file(tmp_path).write_text(content)
    assert read_server_info(tmp_path) is None and find_server(tmp_path) is None


def test_the_file_of_a_dead_process_is_stale(tmp_path: Path, start: Starter) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    write_info(tmp_path, pid=ended.pid)
    assert read_server_info(tmp_path) is None
    assert start(tmp_path).client.hello().pid != ended.pid


def test_a_living_process_with_a_reused_number_is_no_server(tmp_path: Path, start: Starter, stranger: int) -> None:
    write_info(tmp_path, port=9)
    assert read_server_info(tmp_path) is not None and find_server(tmp_path) is None
    write_info(tmp_path, port=stranger)
    assert find_server(tmp_path) is None
    assert start(tmp_path).info.port != stranger


def test_another_servers_port_with_an_old_token_is_no_server(backend: BackendProcess, tmp_path: Path) -> None:
    write_info(tmp_path, port=backend.info.port)
    assert find_server(tmp_path) is None


def test_it_ends_when_nobody_needs_it_but_not_while_it_works(start: Starter) -> None:
    backend = start(idle_minutes=0.03)
    job = send(backend.client, images.request("patient", steps=2))
    assert backend.process is not None
    time.sleep(2.5)
    assert backend.process.poll() is None
    assert last(backend.client, job).state is JobState.DONE
    assert backend.process.wait(timeout=10) == 0
    assert not server_file(backend.home).exists()


def test_it_ends_when_its_home_is_removed(start: Starter) -> None:
    backend = start()
    shutil.rmtree(backend.home)
    assert backend.process is not None and backend.process.wait(timeout=60) == 0


def test_shutdown_ends_it_and_keeps_results(start: Starter) -> None:
    backend = start()
    done = last(backend.client, send(backend.client, images.request()))
    backend.client.shutdown()
    assert backend.process is not None and backend.process.wait(timeout=10) == 0
    assert not server_file(backend.home).exists()
    assert start(backend.home).client.status(done.id).state is JobState.DONE


def test_the_log_holds_no_token_and_no_image(backend: BackendProcess) -> None:
    last(backend.client, send(backend.client, images.request()))
    log = backend.log()
    assert "done" in log and backend.info.token not in log and "IHDR" not in log


def test_the_information_does_not_show_its_token() -> None:
    info = ServerInfo("127.0.0.1", 1, "secret", 2, 3, "4")
    assert "secret" not in repr(info) and "secret" not in str(info)
