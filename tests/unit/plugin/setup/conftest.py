"""A docker's content with a set-up whose installer only counts to ten."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QLabel, QWidget

from shared import paths
from shared.setup_progress import read_progress

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
PROJECT = Path(__file__).resolve().parents[4]


class SetupBench:
    """What a painter has in front of them, and the files behind it."""

    def __init__(self, plugin: Any, root: Path, **plan: Any) -> None:
        from linewash.setup import setup_runner, setup_stack  # type: ignore[import-not-found]

        self.plugin, self.root, self.home = plugin, root, root / "home"
        self.folder = root / "program"
        self.folder.mkdir(exist_ok=True)
        self.home.mkdir(exist_ok=True)
        shutil.copy(Path(__file__).with_name("fake_install.py"), self.folder / "install.py")
        (self.folder / "RELEASE").write_text(json.dumps({"version": "2.0", "protocol": 1, "files": {}}))
        (self.folder / "plan.json").write_text(json.dumps({"project": str(PROJECT), "version": "2.0", **plan}))
        self.threads = plugin.threads.Threads()
        self.loop = plugin.event_loop.EventLoop(self.threads)
        release = plugin.setup.release.read_release(self.folder)
        self.runner = setup_runner.SetupRunner(
            release, self.home, find_python=lambda surroundings: Path(sys.executable), find_cards=lambda: ()
        )
        self.setup = plugin.setup.backend_setup.BackendSetup(self.loop, self.runner)
        self.stack = setup_stack.SetupStack(plugin.widgets.panel.Panel(None), self.setup)
        self.stack.resize(262, 500)
        self.stack.show()
        self.until(lambda: self.setup.snapshot is not None)

    def until(self, condition: Callable[[], Any], seconds: float = 20.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, (self.setup.snapshot, self.setup.failure, self.log())
            QTest.qWait(5)

    def log(self) -> str:
        file = self.home / "setup" / "setup.log"
        return file.read_text() if file.exists() else ""

    def text(self, name: str) -> str:
        label = self.stack.findChild(QLabel, name)
        return str(label.text()) if label.isVisible() else ""

    def button(self) -> str:
        button: Any = self.stack.findChild(QWidget, "setupButton")
        return str(button.text()) if button.isVisible() and button.isEnabled() else ""

    def click(self, name: str = "setupButton") -> None:
        QTest.mouseClick(self.stack.findChild(QWidget, name), Qt.MouseButton.LeftButton)

    def is_ready(self) -> bool:
        return bool(self.stack.findChild(QWidget, "color").isVisible())

    def starts(self) -> list[str]:
        file = self.home / "starts.txt"
        return file.read_text().split() if file.exists() else []

    def installer(self) -> int:
        """The process of the installer, once it has written its first word."""
        self.until(lambda: (self.progress() or self).pid not in (0, os.getpid()))
        progress = self.progress()
        assert progress is not None
        return int(progress.pid)

    pid = 0

    def progress(self) -> Any:
        return read_progress(self.home / "setup" / "progress.json")

    def kill_installer(self) -> None:
        os.kill(self.installer(), signal.SIGKILL)
        self.runner._process.wait()  # when Krita itself has ended, the system does that

    def close(self) -> None:
        """Krita ends; the installer does not notice."""
        if self.setup._closed.is_set():
            return
        self.setup._closed.set()
        self.loop.stop()
        self.threads.join(5.0)
        self.stack.deleteLater()
        QTest.qWait(5)

    def end_installer(self) -> None:
        """End what is still at work, so that nobody is left behind."""
        process = self.runner._process
        if process is not None:
            process.kill()
            process.wait()

    def restart(self, **plan: Any) -> "SetupBench":
        """Krita ends and starts again."""
        self.close()
        return SetupBench(self.plugin, self.root, **plan)


@pytest.fixture
def begin(plugin: Any, krita: Any, tmp_path: Path) -> Iterator[Callable[..., SetupBench]]:
    """Makes the bench, with the installer's plan."""
    benches: list[SetupBench] = []

    def make(**plan: Any) -> SetupBench:
        benches.append(SetupBench(plugin, tmp_path, **plan))
        return benches[-1]

    yield make
    for bench in benches:
        bench.close()
        bench.end_installer()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Starts a backend of ``home`` that tells these states of its job one after the other, and ends when asked, or not."""
    processes: list[subprocess.Popen[str]] = []

    def run(*states: str, ends: bool, home: Path = tmp_path) -> subprocess.Popen[str]:
        words = [str(paths.server_file(home)), json.dumps(states), "ends" if ends else "stays"]
        process = subprocess.Popen([sys.executable, "-c", BACKEND, *words], stdout=subprocess.PIPE, text=True)
        processes.append(process)
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        return process

    yield run
    for process in processes:
        process.kill()
        process.communicate()
