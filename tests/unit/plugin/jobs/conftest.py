"""A backend that only says hello, as the installer would have noted it down."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.protocol import PROTOCOL_VERSION

STUB = """
import http.server, json, os, sys
from pathlib import Path
home = Path(sys.argv[sys.argv.index("--home") + 1])
assert sys.argv[1] == "serve", sys.argv
(home / "environment.json").write_text(json.dumps(dict(os.environ)))
if (home / "broken").exists():
    sys.exit("it is broken")
class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"product": "linewash", "version": "0", "protocol": PROTOCOL, "pid": os.getpid()}).encode()
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers(); self.wfile.write(body)
    def log_message(self, *a): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Hello)
(home / "runtime").mkdir(parents=True, exist_ok=True)
info = {"host": "127.0.0.1", "port": server.server_port, "token": "t", "pid": os.getpid(), "protocol": PROTOCOL, "version": "0"}
partial = home / "runtime" / "server.tmp"
partial.write_text(json.dumps(info)); partial.replace(home / "runtime" / "server.json")
for _ in range(6): server.handle_request()
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("LINEWASH_HOME", str(folder))
    return folder


@pytest.fixture
def note(tmp_path: Path, home: Path) -> Path:
    """The installer's note about a backend that only says hello."""
    project = tmp_path / "project"
    (project / "backend").mkdir(parents=True)
    (project / "backend" / "__main__.py").write_text(STUB.replace("PROTOCOL", str(PROTOCOL_VERSION)))
    file = tmp_path / "installation.json"
    file.write_text(
        json.dumps(
            {"python": sys.executable, "project": str(project), "home": str(home), "version": "0", "protocol": PROTOCOL_VERSION}
        )
    )
    return file


@pytest.fixture
def launcher(plugin: Any, note: Path) -> Iterator[Any]:
    launcher = plugin.jobs.backend_launcher.Launcher(note)
    yield launcher
    if launcher._started is not None:
        launcher._started.terminate()
        launcher._started.wait(20)
