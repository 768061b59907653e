"""The client of the backend, used by plugin, command line, tests and benchmarks.

Every call blocks; inside Krita it runs in a thread.  Several threads may use one ``Client``, so that a cancel can overtake a
long-poll.
"""

import json
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Callable, Dict, Iterator, List, Optional, Type, TypeVar, Union
from urllib.parse import quote

import requests

from .atomic_file import replace_atomically
from .devices.device_status import DeviceStatus
from .errors import ErrorCode, LinewashError, error_from_json, error_from_os
from .model_spec import ModelInfo
from .multipart import MultipartBody, Part, part_size
from .paths import ServerInfo, read_server_info
from .protocol import (
    IDEMPOTENCY_HEADER,
    MAX_PART_BYTES,
    MAX_REQUEST_BYTES,
    MAX_WAIT_S,
    PRODUCT,
    PROTOCOL_VERSION,
    TOKEN_HEADER,
    VERSION_HEADER,
    ColorizeRequest,
    Hello,
    JobStatus,
)
from .request_parts import RequestParts

ATTEMPTS = 3
"""How often an idempotent call is tried when the connection breaks."""
PAUSE_S = 0.1
"""Pause before the second attempt, seconds; it doubles with each further one."""
UPLOAD_ANSWER_S = 60.0
"""How long the backend may take to write an upload to disk, seconds."""

Answer = TypeVar("Answer")


class Client:
    """A connection to one running backend.  Methods raise LinewashError and nothing else.

    BACKEND_GONE: no answer.  INTERNAL: the answer is not from Linewash.  All other codes come from the backend.
    """

    def __init__(self, info: ServerInfo, timeout_s: float = 10.0) -> None:
        self.info = info
        self._timeout_s = timeout_s
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy between two processes on one computer
        self._session.headers.update(
            {TOKEN_HEADER: info.token, VERSION_HEADER: str(PROTOCOL_VERSION), "Accept-Encoding": "identity"}
        )

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def hello(self) -> Hello:
        """Ask who answers.  VERSION_MISMATCH when it speaks another protocol."""
        hello = self._json("GET", "/v1/hello", lambda data: Hello(**data))
        if hello.product != PRODUCT:
            raise LinewashError(ErrorCode.INTERNAL, "the program on this port calls itself %s" % hello.product)
        if hello.protocol != PROTOCOL_VERSION:
            raise LinewashError(ErrorCode.VERSION_MISMATCH, "backend %d, client %d" % (hello.protocol, PROTOCOL_VERSION))
        return hello

    def submit(self, request: ColorizeRequest, parts: "RequestParts[Part]", idempotency_key: str) -> JobStatus:
        """Send a request and its PNGs, as bytes or paths.  Calls with the same key make one job."""
        contents = parts.by_name()
        sizes = [part_size(name, part) for name, part in contents.items()]
        body = MultipartBody(json.dumps(request.to_json()).encode("utf-8"), contents)
        # Refused before it is sent: the backend would break the connection in the middle.
        if max(sizes, default=0) > MAX_PART_BYTES or len(body) > MAX_REQUEST_BYTES:
            raise LinewashError(ErrorCode.REQUEST_TOO_LARGE, "%d bytes" % len(body))
        return self._json(
            "POST",
            "/v1/jobs",
            JobStatus.from_json,
            data=body,
            headers={IDEMPOTENCY_HEADER: idempotency_key, "Content-Type": body.content_type},
            wait_s=UPLOAD_ANSWER_S,
        )

    def status(self, job_id: str, after: int = -1, wait_s: float = 0.0) -> JobStatus:
        """The job's status, as soon as its revision is not ``after``; at the latest after ``wait_s`` (0..30) seconds."""
        query = {"after": str(after), "wait": str(min(wait_s, MAX_WAIT_S))}
        return self._json("GET", _path(job_id), JobStatus.from_json, params=query, wait_s=wait_s)

    def follow(self, job_id: str) -> Iterator[JobStatus]:
        """Yield every change of a job, up to and including its terminal state."""
        status = self.status(job_id)
        yield status
        while not status.state.terminal:
            newer = self.status(job_id, after=status.revision, wait_s=MAX_WAIT_S)
            # A long-poll may also end without news.
            if newer.revision != status.revision or newer.state != status.state:
                yield newer
            status = newer

    def preview(self, job_id: str) -> bytes:
        """PNG of the newest step preview, longest side at most 256 px; JOB_NOT_DONE when there is none yet."""
        return self._bytes(_path(job_id) + "/preview")

    def layer(self, job_id: str, name: str) -> bytes:
        """PNG (RGBA, canvas size) of one result layer; ``name`` is one of ``JobStatus.layers``."""
        return self._bytes("%s/layers/%s" % (_path(job_id), quote(name, safe="")))

    def save_layer(self, job_id: str, name: str, path: "Union[os.PathLike[str], str]") -> None:
        """Write one result layer to a file, block by block; the file appears whole or not at all."""
        response = self._send("GET", "%s/layers/%s" % (_path(job_id), quote(name, safe="")), stream=True)
        try:
            with replace_atomically(Path(os.fspath(path))) as part, part.open("wb") as file:
                for block in response.iter_content(1024 * 1024):
                    file.write(block)
        except requests.RequestException as error:
            raise _connection_lost(error) from error
        except OSError as error:
            raise error_from_os(error) from error
        finally:
            response.close()

    def bleach(self, reference: bytes, threshold: float = 0.5, wait_s: float = MAX_WAIT_S) -> bytes:
        """PNG of a reference, given as PNG, that is white where its mask (0..1) reaches ``threshold``.

        JOB_NOT_DONE when no worker of the backend was free within ``wait_s`` (0..30) seconds.
        """
        query = {"threshold": str(threshold), "wait": str(min(wait_s, MAX_WAIT_S))}
        return self._send("POST", "/v1/bleach", UPLOAD_ANSWER_S + wait_s, params=query, data=reference).content

    def cancel(self, job_id: str) -> JobStatus:
        """Cancel a job; the status that comes back may still be running."""
        return self._json("DELETE", _path(job_id), JobStatus.from_json)

    def acknowledge(self, job_id: str) -> None:
        """Say that the layers are in the document, so that the backend may delete them.  Calling it twice is no error."""
        try:
            self._send("POST", _path(job_id) + "/acknowledge")
        except LinewashError as error:
            if error.code is not ErrorCode.JOB_UNKNOWN:
                raise

    def jobs(self) -> List[JobStatus]:
        """All jobs of the backend, oldest first."""
        return self._json("GET", "/v1/jobs", lambda data: [JobStatus.from_json(row) for row in data["jobs"]])

    def models(self, wait_s: float = MAX_WAIT_S) -> List[ModelInfo]:
        """The backend's models; one that is not ready says why.

        LinewashError BACKEND_START when it is still starting after ``wait_s`` (0..30) seconds.
        """
        query = {"wait": str(min(wait_s, MAX_WAIT_S))}
        return self._json(
            "GET", "/v1/models", lambda data: [ModelInfo.from_json(row) for row in data["models"]], wait_s, params=query
        )

    def system(self) -> Dict[str, Any]:
        """The state of the backend: version, pid, workers with state, device and pid, number of queued jobs."""
        return self._json("GET", "/v1/system", dict)

    def device(self, wait_s: float = 0.0) -> DeviceStatus:
        """What can compute and what does, as soon as a worker has said so; at the latest after ``wait_s`` (0..30) seconds."""
        query = {"wait": str(min(wait_s, MAX_WAIT_S))}
        return self._json("GET", "/v1/device", DeviceStatus.from_json, wait_s, params=query)

    def choose_device(self, choice: str) -> DeviceStatus:
        """Choose what computes, ``auto`` or a device's name; the backend keeps the choice.  DEVICE_UNAVAILABLE."""
        return self._json("PUT", "/v1/device", DeviceStatus.from_json, json={"device": choice})

    def shutdown(self) -> None:
        """Ask the backend to end; running jobs are cancelled, finished results are kept."""
        self._send("POST", "/v1/shutdown", attempts=1)

    def _bytes(self, path: str) -> bytes:
        return self._send("GET", path).content

    def _json(self, method: str, path: str, parse: Callable[[Any], Answer], wait_s: float = 0.0, **options: Any) -> Answer:
        response = self._send(method, path, wait_s=wait_s, **options)
        try:
            return parse(response.json())
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise LinewashError(ErrorCode.INTERNAL, "unreadable answer to %s %s: %r" % (method, path, error)) from error

    def _send(self, method: str, path: str, wait_s: float = 0.0, attempts: int = ATTEMPTS, **options: Any) -> requests.Response:
        """One call, repeated when the connection breaks.  All calls but shutdown are idempotent."""
        url = "http://%s:%d%s" % (self.info.host, self.info.port, path)
        # To connect, and to wait for the answer, which a long-poll holds back for ``wait_s``.
        timeout = (self._timeout_s, self._timeout_s + wait_s)
        for attempt in range(1, attempts + 1):
            try:
                response = self._session.request(method, url, timeout=timeout, allow_redirects=False, **options)
                break
            except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
                if attempt == attempts:
                    raise _connection_lost(error) from error
                time.sleep(PAUSE_S * 2 ** (attempt - 1))
            except requests.Timeout as error:
                raise _connection_lost(error) from error
            except requests.RequestException as error:
                raise LinewashError(ErrorCode.INTERNAL, repr(error)) from error
        else:
            raise AssertionError("attempts is at least 1")
        if response.status_code >= 300:
            with response:
                raise _error_from_response(response)
        return response


def find_server(home: Path, timeout_s: float = 10.0) -> Optional[Client]:
    """A client of the backend that serves ``home``, or None when none answers.

    LinewashError VERSION_MISMATCH when one runs that speaks another protocol.
    """
    info = read_server_info(home)
    if info is None:
        return None
    client = Client(info, timeout_s)
    try:
        client.hello()
    except LinewashError as error:
        client.close()
        if error.code is ErrorCode.VERSION_MISMATCH:
            raise
        return None
    return client


def _path(job_id: str) -> str:
    return "/v1/jobs/%s" % quote(job_id, safe="")


def _connection_lost(error: Exception) -> LinewashError:
    return LinewashError(ErrorCode.BACKEND_GONE, repr(error))


def _error_from_response(response: requests.Response) -> LinewashError:
    try:
        error = error_from_json(response.json()["error"])
    except (ValueError, KeyError, TypeError, requests.RequestException):
        error = None
    return error or LinewashError(ErrorCode.INTERNAL, "HTTP %d, not from Linewash" % response.status_code)
