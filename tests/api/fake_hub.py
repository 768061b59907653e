"""A small Hugging Face hub on this computer: HEAD and ranged GET of files, model cards, and a switch for every fault."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMMIT = "0123456789abcdef0123456789abcdef01234567"
BLOCK = 16 * 1024


@dataclass
class Hub:
    """files: content by ``repo/path``.  cut_after: a GET is refused by a 500 when so many bytes of the file have gone out.

    wrong_digest: HEAD names another digest than GET sends.  ignores_ranges: a range is answered with the whole file.
    ranges: the Range header of every GET, '' without one.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    licenses: dict[str, str] = field(default_factory=dict)
    cut_after: int | None = None
    wrong_digest: bool = False
    ignores_ranges: bool = False
    claimed_size: int | None = None
    ranges: list[str] = field(default_factory=list)
    url: str = ""


@contextmanager
def running() -> Iterator[Hub]:
    """A hub that answers at ``hub.url``."""
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            """Silent."""

        def do_HEAD(self) -> None:
            content = self._content()
            if content is not None and self.path.startswith("/cdn"):
                self._head(200, content, {"Content-Length": str(len(content))})
            elif content is not None:
                self._elsewhere(content)

        def do_GET(self) -> None:
            if self.path.startswith("/api/models/"):
                self._card(self.path.removeprefix("/api/models/"))
                return
            content = self._content()
            if content is None:
                return
            if not self.path.startswith("/cdn"):
                self._elsewhere(content)
                return
            wanted = self.headers.get("Range", "")
            hub.ranges.append(wanted)
            start = int(wanted.removeprefix("bytes=").split("-")[0]) if wanted and not hub.ignores_ranges else 0
            if hub.cut_after is not None and start >= hub.cut_after:
                self._refuse(500, {})
                return
            status = 206 if start else 200
            about = {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"} if start else {}
            self._head(status, content, {**about, "Content-Length": str(len(content) - start)})
            end = len(content) if hub.cut_after is None else hub.cut_after
            self.wfile.write(content[start:end])
            self.close_connection = end < len(content)

        def _content(self) -> bytes | None:
            path = self.path.removeprefix("/cdn").strip("/")
            repo, _, rest = path.partition("/resolve/")
            content = hub.files.get(f"{repo}/{rest.partition('/')[2]}")
            if content is None:
                known = any(name.startswith(repo + "/") for name in hub.files)
                self._refuse(404, {"X-Error-Code": "EntryNotFound" if known else "RepoNotFound"})
            return content

        def _elsewhere(self, content: bytes) -> None:
            """Large files lie on another server; the hub says where."""
            self._head(302, content, {"Location": f"{hub.url}/cdn{self.path}", "Content-Length": "0"})

        def _head(self, status: int, content: bytes, more: dict[str, str]) -> None:
            digest = hashlib.sha256(b"other" if hub.wrong_digest else content).hexdigest()
            if self.path.endswith((".json", ".txt")):  # small files are no large-file pointers
                digest = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
            self.send_response(status)
            self.send_header("ETag", f'"{digest}"')
            self.send_header("X-Linked-Etag", f'"{digest}"')
            self.send_header("X-Linked-Size", str(len(content) if hub.claimed_size is None else hub.claimed_size))
            self.send_header("X-Repo-Commit", COMMIT)
            for name, value in more.items():
                self.send_header(name, value)
            self.end_headers()

        def _card(self, repo: str) -> None:
            if repo not in hub.licenses:
                self._refuse(404, {"X-Error-Code": "RepoNotFound"})
                return
            body = json.dumps({"id": repo, "modelId": repo, "cardData": {"license": hub.licenses[repo]}}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _refuse(self, status: int, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": "0"}.items():
                self.send_header(name, value)
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
