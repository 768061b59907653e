"""The backend of one home, as a test looks at it and ends it."""

from pathlib import Path

from shared.client import Client
from shared.errors import LinewashError
from shared.paths import ServerInfo, read_server_info
from tests.krita.harness.processes import wait_until


def running(home: Path) -> ServerInfo | None:
    """The server that runs for ``home``, None when none does."""
    return read_server_info(home)


def end(home: Path, patience_s: float = 15.0) -> bool:
    """Ask the backend of ``home`` to end; whether it is gone."""
    info = running(home)
    if info is None:
        return True
    try:
        Client(info).shutdown()
    except LinewashError:
        return running(home) is None
    return wait_until(lambda: not Path(f"/proc/{info.pid}").exists(), patience_s)
