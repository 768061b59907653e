"""Asks a running backend, of whatever version, to end once it has nothing more to do.  Blocks."""

import time
from pathlib import Path
from typing import Callable, Dict, Set

import requests

from ..shared.errors import ErrorCode, LinewashError
from ..shared.paths import ServerInfo, process_alive, read_server_info
from ..shared.protocol import TOKEN_HEADER, VERSION_HEADER

BUSY_STATES = ("queued", "running")
ANSWER_S = 5.0
END_S = 15.0
"""How long it may take to end, seconds."""
CLAIM_S = 15.0
"""How long a result that was waited for may take until a docker has fetched it, seconds."""
_POLL_S = 0.5
_NO_ANSWER = (requests.RequestException, ValueError, KeyError, TypeError)
"""What is raised where nothing answers, or something else than a backend."""


def end_backend_when_idle(
    home: Path,
    say_busy: Callable[[], None],
    is_cancelled: Callable[[], bool],
    end_s: float = END_S,
    claim_s: float = CLAIM_S,
) -> None:
    """Wait until the backend of ``home`` colors nothing, and end it; nothing to do when none runs.

    say_busy: called again and again while it is at work.  end_s: how long it may take to end, seconds.  claim_s: how long a
    result that was waited for may stay unclaimed; it is kept all the same.

    LinewashError SETUP_BUSY when it has begun to color again meanwhile, BACKEND_STAYS when it does not end though it does not.
    """
    info = read_server_info(home)
    if info is None:
        return
    try:
        awaited: Set[str] = set()
        claim_end = time.monotonic()
        while True:
            states = _states(info)
            busy = {job for job, state in states.items() if state in BUSY_STATES}
            awaited |= busy
            if busy:
                claim_end = time.monotonic() + claim_s
            elif not awaited & set(states) or time.monotonic() > claim_end:
                break
            say_busy()
            time.sleep(_POLL_S)
            if is_cancelled():
                return
        _send(info, "POST", "/v1/shutdown")
    except requests.Timeout:
        pass  # it is there, and slow
    except _NO_ANSWER:
        return  # it has ended by itself, or another program has its port and process number now
    end = time.monotonic() + end_s
    while read_server_info(home) == info and process_alive(info.pid):
        if time.monotonic() > end:
            raise LinewashError(_why_it_stays(info), repr(info))
        time.sleep(_POLL_S / 5)


def _why_it_stays(info: ServerInfo) -> ErrorCode:
    try:
        is_busy = any(state in BUSY_STATES for state in _states(info).values())
    except _NO_ANSWER:
        return ErrorCode.BACKEND_STAYS
    return ErrorCode.SETUP_BUSY if is_busy else ErrorCode.BACKEND_STAYS


def _states(info: ServerInfo) -> Dict[str, str]:
    """The state of every job, by its id; one whose result is claimed is gone."""
    return {str(job["id"]): str(job["state"]) for job in _send(info, "GET", "/v1/jobs").json()["jobs"]}


def _send(info: ServerInfo, method: str, path: str) -> requests.Response:
    # It is asked in its own version's name: one of another version would be refused.
    headers = {TOKEN_HEADER: info.token, VERSION_HEADER: str(info.protocol)}
    url = "http://%s:%d%s" % (info.host, info.port, path)
    with requests.Session() as session:
        session.trust_env = False  # no proxy stands between two programs of one computer
        answer = session.request(method, url, headers=headers, timeout=ANSWER_S)
    answer.raise_for_status()
    return answer
