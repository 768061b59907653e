"""Runs other programs without the environment variables that redirect Python."""

import os
import queue
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_PYTHON_VARIABLES = ("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONUSERBASE", "__PYVENV_LAUNCHER__", "VIRTUAL_ENV")
_GUARD = Path(__file__).resolve().parent / "python_environment" / "children" / "guard.py"
POLL_S = 0.2


def clean_environment(base: Mapping[str, str], extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """``base`` without the variables that redirect a virtual environment's Python, plus ``extra``."""
    environment = {name: value for name, value in base.items() if name not in _PYTHON_VARIABLES}
    return {**environment, "PYTHONNOUSERSITE": "1", **(extra or {})}


def run(command: Sequence[str | Path], cwd: Path | None = None, extra: Mapping[str, str] | None = None) -> int:
    """Run ``command`` and pass its output on; the exit status, 127 when there is no such program."""
    try:
        words = [str(word) for word in command]
        return subprocess.run(words, cwd=cwd, env=clean_environment(os.environ, extra), stdin=subprocess.DEVNULL).returncode
    except OSError:
        return 127


def start_captured(
    command: Sequence[str | Path],
    cwd: Path | None = None,
    extra: Mapping[str, str] | None = None,
    stdin: int = subprocess.DEVNULL,
    start_new_session: bool = False,
    close_fds: bool = True,
) -> "subprocess.Popen[str]":
    """Start ``command``; its ``stdout`` is all that it prints, both streams together, as text.  Raises OSError.

    extra: more environment variables.  The rest as ``subprocess.Popen``.
    """
    return subprocess.Popen(
        [str(word) for word in command],
        cwd=cwd,
        env=clean_environment(os.environ, extra),
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        start_new_session=start_new_session,
        close_fds=close_fds,
    )


def capture_output(
    command: Sequence[str | Path], cwd: Path | None = None, extra: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Run ``command``; its exit status (127: no such program) and its output, stdout and stderr together."""
    try:
        process = start_captured(command, cwd, extra)
    except OSError as error:
        return 127, str(error)
    with process:
        try:
            output, _ = process.communicate()
        except BaseException:  # as from Ctrl-C: nothing is left behind
            process.kill()
            raise
    return process.returncode, output


def run_guarded(
    python: Path,
    arguments: Sequence[str | Path],
    cwd: Path | None = None,
    extra: Mapping[str, str] | None = None,
    on_line: Callable[[str], None] = lambda line: None,
    on_wait: Callable[[], None] = lambda: None,
) -> tuple[int, str]:
    """Run a module or script with ``python`` so that it ends with this process, however that ends; status and output.

    arguments: name of the module, or path of the script, and its arguments.  on_line: is told every line of output as it comes;
    on_wait: is called about every ``POLL_S`` seconds.  An exception of either, or from a signal, ends what runs.
    """
    is_posix = os.name == "posix"
    try:
        process = start_captured(
            [python, "-I", "-X", "utf8", _GUARD, *arguments],
            cwd,
            extra,
            stdin=subprocess.PIPE,
            start_new_session=is_posix,
            close_fds=not is_posix,  # the installer's lock is the one descriptor that can be inherited: no second one starts
            # while this still runs
        )
    except OSError as error:
        return 127, str(error)
    lines: queue.Queue[str | None] = queue.Queue()
    reader = threading.Thread(target=_read_lines, args=(process, lines), daemon=True)
    reader.start()
    text: list[str] = []
    try:
        while True:
            try:
                line = lines.get(timeout=POLL_S)
            except queue.Empty:
                on_wait()
                continue
            if line is None:
                break
            text.append(line)
            on_line(line)
        return process.wait(), "".join(text)
    finally:
        if process.stdin is not None:
            process.stdin.close()  # the guard notices
        if process.poll() is None:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        reader.join(5)
        if process.stdout is not None and not reader.is_alive():
            process.stdout.close()


def _read_lines(process: "subprocess.Popen[str]", lines: "queue.Queue[str | None]") -> None:
    for line in process.stdout or ():
        lines.put(line)
    lines.put(None)
