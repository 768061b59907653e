"""Runs a module or script as ``python -m`` does, and ends it with all it has started as soon as the parent process is gone.

``guard.py NAME ARGUMENTS...``: the parent keeps this process's standard input open and never writes to it.  However the parent
ends, also by a kill, its end of the pipe closes.  So no pip goes on alone while a second installer starts.
"""

import os
import runpy
import signal
import subprocess
import sys
import threading


def end_with_parent(pipe: int) -> None:
    """Wait for the end of ``pipe``, then end this process and its group (on Windows: its tree)."""
    while os.read(pipe, 1024):
        pass
    if os.name == "posix":
        os.killpg(0, signal.SIGKILL)  # the parent gave this process a group of its own
    subprocess.run(["taskkill", "/F", "/T", "/PID", str(os.getpid())], check=False)
    os._exit(1)


if __name__ == "__main__":
    own_pipe = os.dup(0)
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123  only a descriptor is wanted
        os.dup2(nothing.fileno(), 0)
    threading.Thread(target=end_with_parent, args=(own_pipe,), daemon=True).start()
    sys.argv = sys.argv[1:]
    if sys.argv[0].endswith(".py"):
        runpy.run_path(sys.argv[0], run_name="__main__")
    else:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
