"""Finding, starting and refusing the backend, against a small real server and real processes."""

import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from shared.protocol import PROTOCOL_VERSION


def connect(launcher: Any, messages: "list[str] | None" = None) -> Any:
    return launcher.find_or_start((messages if messages is not None else []).append, lambda: False)


class Running:
    """A server that answers hello with this status and body."""

    def __init__(self, home: Path, status: int, body: Any) -> None:
        sent = json.dumps(body).encode()

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        (home / "runtime").mkdir()
        info = {"host": "127.0.0.1", "port": self.server.server_port, "token": "t", "pid": os.getpid()}
        (home / "runtime" / "server.json").write_text(json.dumps({**info, "protocol": PROTOCOL_VERSION, "version": "0"}))

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def hello(**changes: Any) -> dict[str, Any]:
    return {"product": "linewash", "version": "0", "protocol": PROTOCOL_VERSION, "pid": 1, **changes}


def test_a_running_backend_is_used(plugin: Any, home: Path) -> None:
    running = Running(home, 200, hello())
    try:
        info = connect(plugin.jobs.backend_launcher.Launcher(home / "no note"))
    finally:
        running.stop()
    assert info.port == running.server.server_port


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [(200, hello(protocol=PROTOCOL_VERSION + 1), "VERSION_MISMATCH"), (401, {"error": {"code": "bad_token"}}, "BAD_TOKEN")],
)
def test_a_backend_that_refuses_us_is_not_started_again(
    plugin: Any, launcher: Any, home: Path, status: int, body: Any, code: str
) -> None:
    running = Running(home, status, body)
    try:
        with pytest.raises(plugin.shared.errors.LinewashError) as caught:
            connect(launcher)
    finally:
        running.stop()
    assert caught.value.code is plugin.shared.errors.ErrorCode[code]
    assert launcher._started is None


def test_the_installed_backend_is_started_once(plugin: Any, launcher: Any, home: Path) -> None:
    messages: list[str] = []
    info = connect(launcher, messages)
    assert info.pid == launcher._started.pid and messages == ["Starting Linewash…"]
    assert connect(launcher, messages) == info and len(messages) == 1


def test_a_stale_file_and_a_foreign_program_are_no_backend(plugin: Any, launcher: Any, home: Path) -> None:
    running = Running(home, 200, {"hello": "I am something else"})
    try:
        info = connect(launcher)
    finally:
        running.stop()
    assert info.pid == launcher._started.pid


def test_it_is_started_without_kritas_own_settings(
    plugin: Any, launcher: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONHOME", sys.prefix)
    monkeypatch.setenv("QT_PLUGIN_PATH", "krita")
    monkeypatch.setenv("UNRELATED", "yes")
    connect(launcher)
    environment = json.loads((home / "environment.json").read_text())
    assert "PYTHONHOME" not in environment and "QT_PLUGIN_PATH" not in environment and environment["UNRELATED"] == "yes"


def broken_json(note: Path) -> None:
    note.write_text("{")


def no_note(note: Path) -> None:
    note.unlink()


def python_gone(note: Path) -> None:
    note.write_text(json.dumps({**json.loads(note.read_text()), "python": str(note.parent / "nowhere")}))


def project_gone(note: Path) -> None:
    note.write_text(json.dumps({**json.loads(note.read_text()), "project": str(note.parent / "nowhere")}))


@pytest.mark.parametrize("harm", [broken_json, no_note, python_gone, project_gone])
def test_not_installed(plugin: Any, launcher: Any, note: Path, harm: Any) -> None:
    harm(note)
    with pytest.raises(plugin.shared.errors.LinewashError) as caught:
        connect(launcher)
    assert caught.value.code is plugin.shared.errors.ErrorCode.NOT_INSTALLED


def test_a_backend_that_ends_at_once_is_reported_with_its_last_words(plugin: Any, launcher: Any, home: Path) -> None:
    (home / "broken").touch()
    with pytest.raises(plugin.shared.errors.LinewashError) as caught:
        connect(launcher)
    assert caught.value.code is plugin.shared.errors.ErrorCode.BACKEND_START
    assert "it is broken" in caught.value.detail


def test_a_python_that_cannot_be_run(plugin: Any, launcher: Any, note: Path) -> None:
    text = note.parent / "python"
    text.write_text("not a program")
    note.write_text(json.dumps({**json.loads(note.read_text()), "python": str(text)}))
    with pytest.raises(plugin.shared.errors.LinewashError) as caught:
        connect(launcher)
    assert caught.value.code is plugin.shared.errors.ErrorCode.BACKEND_START


def test_waiting_ends_when_nobody_wants_the_backend_any_more(plugin: Any, note: Path, home: Path) -> None:
    class Sleeping:
        def poll(self) -> None:
            return None

    launcher = plugin.jobs.backend_launcher.Launcher(note, lambda *args, **options: Sleeping())
    with pytest.raises(plugin.shared.errors.LinewashError):
        launcher.find_or_start(lambda text: None, lambda: True)


def test_a_release_that_the_docker_set_up_is_started_where_install_py_left_no_record(
    plugin: Any, launcher: Any, home: Path
) -> None:
    module = plugin.jobs.backend_launcher
    release = module.Launcher(home / "none.json", launcher._spawn, launcher._surroundings, release_file=launcher._file)
    assert release._installation(launcher._surroundings()) == launcher._installation(launcher._surroundings()) is not None
    broken = home / "own.json"
    broken.write_text("{")
    both = module.Launcher(broken, launcher._spawn, launcher._surroundings, release_file=launcher._file)
    assert both._installation(launcher._surroundings()) is None, "what install.py wrote is never passed over"


def test_a_release_without_its_last_file_is_not_started(plugin: Any, launcher: Any, home: Path) -> None:
    half = home / "program" / "releases" / "0.1.0"
    half.mkdir(parents=True)
    release = plugin.jobs.backend_launcher.Launcher(home / "none.json", release_file=home / "program" / "installation.json")
    with pytest.raises(plugin.shared.errors.LinewashError) as caught:
        connect(release)
    assert caught.value.code is plugin.shared.errors.ErrorCode.NOT_INSTALLED
