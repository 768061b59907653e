"""An installer that only counts to ten and says so as the real one does; it can be paused, killed and made to fail.

It lies as install.py in a release's folder.  ``plan.json`` beside it says how it behaves.
"""

import argparse
import json
import os
import shutil
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
PLAN = json.loads((HERE / "plan.json").read_text())
sys.path.insert(0, PLAN["project"])

from shared.setup_progress import (  # noqa: E402
    PROCESSOR_OPTION,
    SetupPhase,
    SetupProgress,
    SetupState,
    SetupTask,
    clear_progress,
    stop_file,
    write_progress,
)

parser = argparse.ArgumentParser()
parser.add_argument("command")
parser.add_argument("--yes", action="store_true", required=True)
parser.add_argument("--no-plugin", action="store_true", required=True)
parser.add_argument("--home", type=Path, required=True)
parser.add_argument("--progress-file", type=Path, required=True)
parser.add_argument("--device", default="")
options = parser.parse_args()
home, file = options.home, options.progress_file
with (home / "starts.txt").open("a") as starts:
    starts.write(options.command + ("@" + options.device if options.device else "") + "\n")
if PLAN.get("does_not_start"):
    sys.exit("this Python is broken")


def say(state: SetupState, phase: SetupPhase, done: int, **more: str) -> None:
    text = "Downloading torch …" if state is SetupState.RUNNING else "It ended."
    task = SetupTask(options.command)
    write_progress(
        file,
        SetupProgress(
            phase, state, text, os.getpid(), time.time(), done * 10**7, 10**8, task=task, wanted_device=options.device, **more
        ),
    )


clear_progress(file)
if options.command == "uninstall":
    say(SetupState.RUNNING, SetupPhase.REMOVE, 0)
    shutil.rmtree(home / "program", ignore_errors=True)
    say(SetupState.DONE, SetupPhase.REMOVE, 0)
    sys.exit(0)
counter = home / "counter.txt"
count = int(counter.read_text()) if counter.exists() else 0
while count < 10:
    say(SetupState.RUNNING, SetupPhase.DOWNLOAD, count)
    if PLAN.get("needs_processor") and options.device != "cpu":
        say(SetupState.FAILED, SetupPhase.RESOLVE, 0, error="The index is away.", hint="Go online, or %s." % PROCESSOR_OPTION)
        sys.exit(1)
    time.sleep(PLAN.get("step_s", 0.02))
    if count == PLAN.get("fails_at") and not (home / "mended").exists():
        say(SetupState.FAILED, SetupPhase.DOWNLOAD, count, error="The network is gone.", hint="Go online.")
        sys.exit(1)
    if stop_file(file).exists():
        say(SetupState.PAUSED, SetupPhase.DOWNLOAD, count)
        sys.exit(3)
    count += 1
    counter.write_text(str(count))
folder = home / "program"
folder.mkdir(exist_ok=True)
record = {"python": sys.executable, "project": str(folder), "home": str(home), "version": PLAN["version"], "protocol": 1}
(folder / "installation.json").write_text(json.dumps(record))
say(SetupState.DONE, SetupPhase.TRY_OUT, 10)
