"""Uninstall takes everything but the painter's own files, and ends a running backend first."""

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from installer.krita.installations import KritaInstallation
from installer.messages import InstallError
from installer.stop_backend import stop_server
from installer.uninstall import remove_data, uninstall
from shared import paths
from shared.protocol import TOKEN_HEADER


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a runtime file, a log, one result nobody fetched, one failed job and an added model."""
    home = tmp_path / "home"
    files = (
        paths.log_file(home),
        paths.jobs_dir(home) / "done" / "result" / "foreground.png",
        paths.jobs_dir(home) / "failed" / "state.json",
        paths.models_dir(home) / "mine.safetensors",
    )
    for path in files:
        path.parent.mkdir(parents=True)
        path.write_text("x")
    paths.runtime_dir(home).mkdir()
    return home


class Backend:
    """A server that only knows /v1/shutdown; ``obeys`` says whether it withdraws its runtime file then."""

    def __init__(self, home: Path, obeys: bool) -> None:
        self.requests: list[tuple[str, str | None]] = []
        backend = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                backend.requests.append((self.path, self.headers[TOKEN_HEADER]))
                if obeys:
                    paths.server_file(home).unlink()
                self.send_response(202)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        noted = {"host": "127.0.0.1", "port": self.server.server_port, "token": "key", "pid": os.getpid(), "protocol": 1}
        paths.server_file(home).write_text(json.dumps({**noted, "version": "0"}))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def backend(home: Path) -> Iterator[Backend]:
    server = Backend(home, obeys=True)
    yield server
    server.close()


def test_unfetched_results_and_added_models_stay(home: Path) -> None:
    assert remove_data(home) == [paths.jobs_dir(home), paths.models_dir(home)]
    left = sorted(str(path.relative_to(home)) for path in home.rglob("*") if path.is_file())
    assert left == ["jobs/done/result/foreground.png", "models/mine.safetensors"]


def test_a_home_with_nothing_of_the_painters_goes(tmp_path: Path) -> None:
    (tmp_path / "home" / "jobs" / "failed").mkdir(parents=True)
    (tmp_path / "home" / "logs").mkdir()
    assert remove_data(tmp_path / "home") == []
    assert not (tmp_path / "home").exists()
    assert remove_data(tmp_path / "home") == []


def test_everything_goes(tmp_path: Path, home: Path, backend: Backend, capsys: pytest.CaptureFixture[str]) -> None:
    project = tmp_path / "checkout"
    files = (".venv/bin/python", "build/vendor/x", "linewash.egg-info/PKG-INFO", "artifacts/junit.xml", "backend/__init__.py",
        "backend/__pycache__/x.pyc", "demo-output/colored.png")  # fmt: skip
    for name in files:
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("")
    krita = KritaInstallation("Krita", tmp_path / "krita", tmp_path / "kritarc")
    (krita.pykrita / "linewash").mkdir(parents=True)
    krita.settings.write_bytes(b"[python]\nenable_linewash=true\n")
    uninstall(home, [krita], project)
    assert backend.requests == [("/v1/shutdown", "key")]
    left = sorted(str(path.relative_to(project)) for path in project.rglob("*") if path.is_file())
    assert left == ["backend/__init__.py", "demo-output/colored.png"]
    assert not krita.resources.exists()
    assert not krita.settings.exists()
    assert f"Kept, because it is yours: {paths.jobs_dir(home)}" in capsys.readouterr().out


def test_no_backend_needs_no_stopping(tmp_path: Path) -> None:
    assert stop_server(tmp_path)


def test_a_backend_that_stays_stops_the_uninstalling(tmp_path: Path, home: Path) -> None:
    stubborn = Backend(home, obeys=False)
    assert not stop_server(home, patience_s=0.3)
    stubborn.server.RequestHandlerClass = BaseHTTPRequestHandler  # refuses whatever it is asked
    (tmp_path / "checkout").mkdir()
    with pytest.raises(InstallError, match="did not end"):
        uninstall(home, [], tmp_path / "checkout")
    stubborn.close()
    assert paths.log_file(home).exists()


def test_a_record_that_a_crash_left_stops_nothing(home: Path) -> None:
    """Nobody listens there, and another program has the process number by now: this one."""
    Backend(home, obeys=True).close()
    assert stop_server(home, patience_s=0.3)
