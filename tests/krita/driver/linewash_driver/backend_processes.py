"""The backend as the operating system sees it: found, frozen, killed, replaced by an impostor."""

import json
import os
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any


def fault_file(home: str) -> Path:
    """A file whose text makes the swatches fail in that way."""
    return Path(home) / "models" / "fault"


def server_file(home: str) -> Path:
    """Where the backend of ``home`` says how to reach it."""
    return Path(home) / "runtime" / "server.json"


def server_pid(home: str) -> int:
    """The backend's process, 0 when none runs."""
    try:
        pid = int(json.loads(server_file(home).read_text())["pid"])
        os.kill(pid, 0)
    except (OSError, ValueError, KeyError):
        return 0
    return pid


def family(pid: int) -> list[int]:
    """A process and everything below it."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:  # it ended while we looked
            continue
        children.setdefault(parent, []).append(int(stat.parent.name))
    found = [pid]
    for each in found:
        found.extend(children.get(each, []))
    return found


def below(home: str) -> list[int]:
    """The backend's own child processes, where the model works."""
    pid = server_pid(home)
    return family(pid)[1:] if pid else []


def job_count(home: str) -> int:
    """How many jobs the backend has on disk."""
    folder = Path(home) / "jobs"
    return sum(1 for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else 0


def send(pids: list[int], sign: signal.Signals) -> None:
    """Send a signal to processes of this test's own backend."""
    for pid in pids:
        try:
            os.kill(pid, sign)
        except ProcessLookupError:
            continue


def kill(home: str) -> Iterator[float]:
    """Kill the backend with its children, as a crash or a full memory would; yields until they are gone."""
    pids = family(server_pid(home)) if server_pid(home) else []
    send(pids, signal.SIGKILL)
    for _ in range(100):
        if not server_pid(home):
            return
        yield 0.05


class Impostor:
    """A server that answers every call with one status and one JSON body, and has put itself into the home's server file."""

    def __init__(self, home: str, status: int, answer: dict[str, Any], info: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()

        class Handler(BaseHTTPRequestHandler):
            """Answers alike whatever is asked."""

            def _answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - the library's names

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._http = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        self._file = server_file(home)
        known = {"host": "127.0.0.1", "port": self._http.server_port, "token": "x" * 43, "pid": os.getpid()}
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file.touch(0o600)
        self._file.write_text(json.dumps({**known, **info}))

    def close(self) -> None:
        """End it and take its file away."""
        self._http.shutdown()
        self._http.server_close()
        self._file.unlink()
