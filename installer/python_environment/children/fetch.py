"""Downloads files through pip's own connection, so that its settings hold: proxies, certificates, passwords, time-outs.

``fetch.py probe URL``, ``fetch.py sizes JOB``, ``fetch.py download JOB``.  JOB is a JSON file with ``folder`` and ``files``,
each of them with ``name``, ``url`` and ``sha256`` ('' = unknown).  Every line of output is a JSON object: ``done`` (bytes) and
``name`` now and then, ``sizes`` (0 = unknown), ``files`` (name to digest) at the end, or
``error`` (its kind), ``name`` and ``detail``.

A file is written to ``NAME.part`` and gets its name when it is complete.  A part is continued, also after a kill; where the
server does not do that, it is begun anew.  A file with a wrong digest is thrown away and fetched once more.

This runs in the environment's Python, beside the pip of ``constraints.txt``; it uses pip's inside, which that pin keeps as it
is.
"""

import errno
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ATTEMPTS = 6
"""Tries in a row in which not one byte arrives, before a download is given up; the pauses between them double."""
FIRST_PAUSE_S = float(os.environ.get("LINEWASH_RETRY_PAUSE_S") or 0.5)
CHUNK = 1 << 16
_FULL = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))


class FetchError(Exception):
    """A download that will not succeed; ``kind`` is a key of ``explain.SENTENCES``."""

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(detail)
        self.kind = kind


def say(**values: Any) -> None:
    """Print one JSON line."""
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


def open_session(retries: int = 0, timeout: int | None = None) -> Any:
    """Pip's session with all of the user's settings, and without a cache, which would keep every file twice."""
    from pip._internal.commands import create_command

    command: Any = create_command("download")
    options, _ = command.parse_args(["--no-cache-dir", "--no-input"])
    return command._build_session(options, retries=retries, timeout=timeout)


def error_kind(error: BaseException) -> str:
    """The kind of an exception of pip's connection, by name: the classes move between pip's versions."""
    names = {each.__name__ for each in type(error).__mro__}
    if isinstance(error, OSError) and error.errno in _FULL:
        return "disk_full"
    if isinstance(error, PermissionError):
        return "unwritable"
    if names & {"ProxyConnectionError", "ProxyError"}:
        return "proxy"
    if names & {"SSLVerificationError", "SSLMissingError", "SSLError"}:
        return "certificate"
    return "offline"


def get(session: Any, url: str, start: int = 0) -> Any:
    """A streamed answer, from byte ``start`` on where the server can do that; FetchError "refused" for a final no."""
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={start}-"} if start else {})}
    response = session.get(url, headers=headers, stream=True)
    if response.status_code == 407:
        raise FetchError("proxy", "status 407")
    if response.status_code in (401, 403, 404, 410, 451):
        raise FetchError("refused", f"status {response.status_code}")
    if response.status_code not in (200, 206, 416):
        raise ConnectionError(f"status {response.status_code}")
    return response


def append(session: Any, url: str, part: Path, report: Callable[[int], None]) -> tuple[int, bool]:
    """Fetch what ``part`` lacks; (bytes that arrived now, whether it is complete)."""
    start = part.stat().st_size if part.exists() else 0
    with get(session, url, start) as response:
        if response.status_code == 416:  # longer than the file, or just complete: then the digest says so
            return 0, True
        if response.status_code != 206 or not response.headers.get("Content-Range", f"bytes {start}-").startswith(
            f"bytes {start}-"
        ):
            start = 0
        length = response.headers.get("Content-Length")
        arrived = 0
        with part.open("ab" if start else "wb") as file:
            for chunk in response.raw.stream(CHUNK, decode_content=False):
                file.write(chunk)
                arrived += len(chunk)
                report(start + arrived)
        return arrived, length is None or arrived >= int(length)


def fetch(session: Any, file: dict[str, Any], folder: Path, report: Callable[[int], None]) -> str:
    """Make ``file`` lie in ``folder``, complete and right; its SHA-256.  Raises FetchError."""
    final, part = folder / file["name"], folder / f"{file['name']}.part"
    for is_last in (False, True):
        if not final.exists():
            fetch_part(session, file["url"], part, report)
            part.replace(final)
        with final.open("rb") as content:
            digest = sha256(content)
        if digest == (file["sha256"] or digest):
            return digest
        final.unlink()
        if is_last:
            raise FetchError("damaged", f"{digest} instead of {file['sha256']}")
    raise AssertionError


def fetch_part(session: Any, url: str, part: Path, report: Callable[[int], None]) -> None:
    """Complete ``part``, over as many interruptions as it takes while some bytes arrive each time."""
    failures = 0
    while True:
        before = part.stat().st_size if part.exists() else 0
        try:
            _, is_complete = append(session, url, part, report)
            if is_complete:
                return
            error: Exception = ConnectionError("the connection was cut")
        except FetchError:
            raise
        except Exception as caught:  # noqa: BLE001  pip's, requests' and urllib3's classes have no common one
            if error_kind(caught) in ("disk_full", "unwritable", "certificate"):
                raise FetchError(error_kind(caught), str(caught)) from caught
            error = caught
        has_grown = (part.stat().st_size if part.exists() else 0) > before
        failures = 1 if has_grown else failures + 1
        if failures >= ATTEMPTS:
            raise FetchError(error_kind(error), str(error)) from error
        time.sleep(FIRST_PAUSE_S * 2 ** (failures - 1))


def sha256(content: Any) -> str:
    """The digest of an open binary file."""
    digest = hashlib.sha256()
    while block := content.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def size_of(session: Any, url: str) -> int:
    """Bytes of what ``url`` names; 0 when the server does not say."""
    response = session.head(url, headers={"Accept-Encoding": "identity"}, allow_redirects=True)
    length = response.headers.get("Content-Length", "")
    return int(length) if response.status_code == 200 and length.isdigit() else 0


def download_all(job: dict[str, Any]) -> None:
    """Fetch every file of ``job``, and report the bytes of all of them together."""
    folder, session, total, said_s = Path(job["folder"]), open_session(), 0, 0.0
    digests: dict[str, str] = {}
    for file in job["files"]:

        def report(done: int, name: str = file["name"], before: int = total) -> None:
            nonlocal said_s
            if time.monotonic() - said_s > 0.1:
                said_s = time.monotonic()
                say(done=before + done, name=name)

        try:
            digests[file["name"]] = fetch(session, file, folder, report)
        except (FetchError, OSError) as error:
            kind = error.kind if isinstance(error, FetchError) else error_kind(error)
            say(error=kind, name=file["name"], detail=str(error)[:400])
            sys.exit(1)
        total += (folder / file["name"]).stat().st_size
        say(done=total, name=file["name"])
    say(files=digests)


def main(command: str, argument: str) -> None:
    """Run one of the commands above."""
    if command == "probe":
        try:
            status = open_session(timeout=8).get(argument, headers={"Accept": "*/*"}, stream=True).status_code
            say(reachable=status == 200)
        except Exception as error:  # noqa: BLE001  as above: the parent explains it
            say(reachable=False, error=error_kind(error), detail=str(error)[:200])
        return
    job = json.loads(Path(argument).read_text(encoding="utf-8"))
    if command == "download":
        download_all(job)
        return
    session = open_session(retries=2)
    try:
        with ThreadPoolExecutor(8) as pool:
            say(sizes=list(pool.map(lambda file: size_of(session, file["url"]), job["files"])))
    except Exception as error:  # noqa: BLE001  as above: the parent explains it
        say(error=error_kind(error), name="", detail=str(error)[:400])
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
