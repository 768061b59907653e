"""A program whose output goes into a file, and where wanted on the screen as well."""

import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..subprocesses import start_captured

_PATIENCE_S = 20.0


class LoggedProcess:
    """One running program.  ``log`` receives what it prints, both streams together; ``shown`` prints it too, line by line."""

    def __init__(self, command: Sequence[str | Path], cwd: Path, extra: Mapping[str, str], log: Path, shown: bool) -> None:
        self.log = log
        self._shown = shown
        self._process = start_captured(command, cwd, extra)
        self._reader = threading.Thread(target=self._read, name=f"log of {log.name}", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self.log.open("w", encoding="utf-8") as file, self._process.stdout as output:
            for line in output:
                file.write(line)
                file.flush()
                if self._shown:
                    sys.stdout.write(line)
                    sys.stdout.flush()

    def wait(self) -> int:
        """Its exit status, once it has ended and all it printed is in the log."""
        status = self._process.wait()
        self._reader.join(_PATIENCE_S)  # a program it left behind may keep the pipe open
        return status

    def stop(self) -> None:
        """End it if it still runs."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_PATIENCE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()

    def text(self) -> str:
        """All it printed so far."""
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def last_line(self) -> str:
        """The last line that is not empty: of pytest, its counts."""
        lines = [line for line in self.text().splitlines() if line.strip()]
        return lines[-1] if lines else ""
