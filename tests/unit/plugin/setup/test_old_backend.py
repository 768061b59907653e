"""An old backend is asked to end, and what is said when it stays is true.  The backends here are processes that answer HTTP."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from shared import paths

BACKEND = """
import http.server, json, os, sys
home, states, ends = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3] == "ends"

class Answers(http.server.BaseHTTPRequestHandler):
    def answer(self, data):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(data).encode())

    def do_GET(self):  # /v1/jobs
        self.answer({"jobs": [{"id": "a", "state": states.pop(0) if len(states) > 1 else states[0]}]})

    def do_POST(self):  # /v1/shutdown
        self.answer({})
        if ends:
            os.remove(home)
            os._exit(0)

    def log_message(self, *_):
        pass

server = http.server.HTTPServer(("127.0.0.1", 0), Answers)
info = {"host": "127.0.0.1", "port": server.server_port, "token": "t", "pid": os.getpid(), "protocol": 1, "version": "0.0.1"}
os.makedirs(os.path.dirname(home), exist_ok=True)
with open(home, "w") as file:
    json.dump(info, file)
print("ready", flush=True)
server.serve_forever()
"""
StartBackend = Callable[..., Any]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartBackend]:
    """Starts a backend that tells these states of its job one after the other, and ends when asked, or not."""
    processes: list[subprocess.Popen[str]] = []

    def run(*states: str, ends: bool) -> subprocess.Popen[str]:
        words = [str(paths.server_file(tmp_path)), json.dumps(states), "ends" if ends else "stays"]
        process = subprocess.Popen([sys.executable, "-c", BACKEND, *words], stdout=subprocess.PIPE, text=True)
        processes.append(process)
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        return process

    yield run
    for process in processes:
        process.kill()
        process.communicate()


def end(plugin: Any, home: Path, end_s: float = 0.3) -> int:
    """Ask it to end; how often it was said that it is at work."""
    said: list[None] = []
    plugin.setup.old_backend.end_backend_when_idle(home, lambda: said.append(None), lambda: False, end_s, claim_s=0)
    return len(said)


def test_without_a_backend_there_is_nothing_to_do(plugin: Any, tmp_path: Path) -> None:
    assert end(plugin, tmp_path) == 0


def test_it_colors_to_the_end_and_then_ends(plugin: Any, tmp_path: Path, start: StartBackend) -> None:
    process = start("queued", "running", "done", ends=True)
    assert end(plugin, tmp_path, 10) == 2
    assert process.wait(10) == 0


@pytest.mark.parametrize(
    ("states", "code", "sentence"),
    [
        (("done", "running"), "setup_busy", "A drawing is still being colored."),
        (("done",), "backend_stays", "The coloring program that runs now does not end."),
    ],
)
def test_what_is_said_of_one_that_stays_is_true(
    states: tuple[str, ...], code: str, sentence: str, plugin: Any, tmp_path: Path, start: StartBackend
) -> None:
    process = start(*states, ends=False)
    with pytest.raises(plugin.shared.errors.LinewashError) as caught:
        end(plugin, tmp_path)
    assert (caught.value.code.value, caught.value.message) == (code, sentence)
    assert process.poll() is None


def test_one_that_answers_no_more_stays(plugin: Any, tmp_path: Path, start: StartBackend) -> None:
    start("done", ends=False).send_signal(signal.SIGSTOP)
    with pytest.raises(plugin.shared.errors.LinewashError) as caught:
        end(plugin, tmp_path)
    assert caught.value.code.value == "backend_stays"
