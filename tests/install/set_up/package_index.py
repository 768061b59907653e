"""A package index on this computer, with tiny wheels and all the faults that a network has."""

import base64
import hashlib
import io
import json
import re
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def make_wheel(name: str, files: dict[str, bytes], version: str = "1.0", requires: tuple[str, ...] = ()) -> tuple[str, bytes]:
    """(name of the file, its bytes) of a pure-Python wheel with ``files``."""
    info = f"{name}-{version}.dist-info"
    requirements = "".join(f"Requires-Dist: {line}\n" for line in requires)
    contents = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requirements}".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},sha256={_digest64(content)},{len(content)}\n" for path, content in contents.items())
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, content in {**contents, f"{info}/RECORD": f"{record}{info}/RECORD,,\n".encode()}.items():
            archive.writestr(zipfile.ZipInfo(path), content)
    return f"{name}-{version}-py3-none-any.whl", buffer.getvalue()


def _digest64(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


@dataclass
class PackageIndex:
    """What is served, and how badly."""

    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    """Name of a wheel -> its bytes."""
    bytes_per_second: float = 0.0
    """Of wheels, once their sizes were asked for: an older pip downloads them already to resolve.  0 = as fast as it goes."""
    is_asked_for_sizes: bool = False
    has_ranges: bool = True
    cuts: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    """Name -> after how many bytes of each answer the connection is cut, one number for each of the next answers."""
    damage: dict[str, int] = field(default_factory=dict[str, int])
    """Name -> how many of the next answers hold a wrong byte."""
    refused: set[str] = field(default_factory=set[str])
    """Names that are listed and not given out."""
    is_down: bool = False
    """Whether every connection is closed without an answer, as by a network that is gone."""
    log: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    """(name, first byte) of every answer with a wheel."""
    address: str = ""

    @property
    def simple(self) -> str:
        """The address for pip."""
        return f"{self.address}/simple"

    def url(self, name: str) -> str:
        """The address of a wheel."""
        return f"{self.address}/files/{name}"

    def starts(self, name: str) -> list[int]:
        """First bytes of the answers with one wheel."""
        return [start for each, start in self.log if each == name]

    def page(self, project: str) -> str:
        """The list of a project's wheels."""
        names = [name for name in self.files if name.partition("-")[0].lower().replace("_", "-") == project]
        return "".join(
            f'<a href="/files/{name}#sha256={hashlib.sha256(self.files[name]).hexdigest()}">{name}</a>\n' for name in names
        )


@contextmanager
def serve(index: PackageIndex) -> Iterator[PackageIndex]:
    """Serve ``index`` on a free port of this computer."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            index.is_asked_for_sizes = True
            self.do_GET()

        def do_PUT(self) -> None:
            """Faults as JSON, from a test that runs in another process: ``{"is_down": true}``."""
            for name, value in json.loads(self.rfile.read(int(self.headers["Content-Length"]))).items():
                setattr(index, name, set(value) if name == "refused" else value)
            self._answer(200, b"", "text/plain")

        def do_GET(self) -> None:
            if index.is_down:
                self.close_connection = True
                return
            parts = self.path.strip("/").split("/")
            if parts[0] == "simple":
                page = index.page(parts[-1]).encode()
                self._answer(200 if page else 404, page, "text/html")
            elif parts[-1] in index.refused and self.command == "GET":
                self._answer(403, b"", "text/plain")
            elif parts[-1] in index.files:
                self._send_wheel(parts[-1])
            else:
                self._answer(404, b"", "text/plain")

        def _answer(self, status: int, content: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        def _send_wheel(self, name: str) -> None:
            content = index.files[name]
            match = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
            start = int(match.group(1)) if match and index.has_ranges else 0
            if start >= len(content):
                self._answer(416, b"", "text/plain")
                return
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            if self.command == "HEAD":
                return
            index.log.append((name, start))
            body = bytearray(content[start:])
            if index.damage.get(name, 0) > 0:
                index.damage[name] -= 1
                body[-1] ^= 0xFF
            cuts = index.cuts.get(name, [])
            end = cuts.pop(0) if cuts else len(body)
            for first in range(0, min(end, len(body)), 8192):
                if index.is_down:
                    self.close_connection = True
                    return
                self.wfile.write(body[first : min(first + 8192, end)])
                if index.bytes_per_second and index.is_asked_for_sizes:
                    time.sleep(8192 / index.bytes_per_second)
            if end < len(body):
                self.close_connection = True

        def log_message(self, *args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *args: Any) -> None:
            pass  # a client that was killed

    server = Server(("127.0.0.1", 0), Handler)
    index.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield index
    finally:
        server.shutdown()
        server.server_close()
