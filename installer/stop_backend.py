"""Stops a running backend, with the standard library only."""

import http.client
import time
from pathlib import Path

from shared.paths import process_alive, read_server_info
from shared.protocol import TOKEN_HEADER, VERSION_HEADER


def stop_server(home: Path, patience_s: float = 10.0) -> bool:
    """Stop the backend of ``home`` if one runs; False when it still runs after ``patience_s`` seconds."""
    info = read_server_info(home)
    if info is None:
        return True
    headers = {TOKEN_HEADER: info.token, VERSION_HEADER: str(info.protocol)}
    connection = http.client.HTTPConnection(info.host, info.port, timeout=patience_s)
    try:
        connection.request("POST", "/v1/shutdown", headers=headers)
        accepted = connection.getresponse().status < 300
    except ConnectionRefusedError:
        return True  # nobody listens: the file is left over, and another program has its process number now
    except (OSError, http.client.HTTPException):
        return read_server_info(home) is None or not process_alive(info.pid)
    finally:
        connection.close()
    deadline = time.monotonic() + patience_s
    while accepted and process_alive(info.pid) and read_server_info(home) == info and time.monotonic() < deadline:
        time.sleep(0.1)
    return accepted and read_server_info(home) != info
