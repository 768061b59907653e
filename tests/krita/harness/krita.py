"""Runs one scenario in one real Krita and brings its evidence back."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.krita.harness.display import SCREEN, display
from tests.krita.harness.evidence import Evidence
from tests.krita.harness.processes import CLEAN_PATH, MARKER, stop
from tests.krita.harness.profile import Profile

SCENARIOS = Path(__file__).parent.parent / "scenarios"


class ScenarioFailed(AssertionError):
    """The scenario raised, Krita died or time ran out."""


def play(
    command: Sequence[str],
    scenario: str,
    profile: Profile,
    out: Path,
    run: str,
    parameters: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    timeout_s: float = 900.0,
    event_storm: bool = False,
    scale: int = 1,
) -> Evidence:
    """Play ``scenarios/<scenario>.py`` in ``profile`` to its end and return what it saw, as ``watch``.

    Raises ScenarioFailed.
    """
    evidence = watch(command, scenario, profile, out, run, parameters, environment, timeout_s, event_storm, scale)
    if evidence.trouble():
        raise ScenarioFailed(f"{scenario}: {evidence.trouble()}")
    return evidence


def watch(
    command: Sequence[str],
    scenario: str,
    profile: Profile,
    out: Path,
    run: str,
    parameters: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    timeout_s: float = 900.0,
    event_storm: bool = False,
    scale: int = 1,
) -> Evidence:
    """What a scenario saw, however Krita ended: some kill it.

    command: starts Krita.  ``out`` receives notes, images and krita.log and is emptied first.  ``run`` marks all processes.
    ``environment`` is added to Krita's; nothing of the caller's gets in.
    event_storm: whether all kinds of events are handled inside Krita's calls.
    scale: pixels of the screen along one of Qt's.
    """
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    result = out / "result.json"
    started = time.time()
    env = {"LANG": "C.UTF-8", "PATH": CLEAN_PATH, MARKER: run, **profile.environment(), **(environment or {})}
    if scale != 1:
        env["QT_SCALE_FACTOR"] = str(scale)
    settings = {
        "scenario": str(SCENARIOS / f"{scenario}.py"),
        "out": str(out),
        "result": str(result),
        "parameters": dict(parameters or {}),
        "started": started,
        "event_storm": event_storm,
    }
    with display((scale * SCREEN[0], scale * SCREEN[1])) as screen, (out / "krita.log").open("wb") as log:
        env["DISPLAY"] = screen.name
        env["LINEWASH_SCENARIO"] = json.dumps({**settings, "x_server": screen.pid})
        krita = subprocess.Popen(
            [*command, "--nosplash"],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=profile.root,
        )
        try:
            code = _wait(krita, out, env, started + timeout_s)
        finally:
            stop(krita)
    return Evidence(out, json.loads(result.read_text()) if result.exists() else None, code, round(time.time() - started, 2))


def _wait(krita: "subprocess.Popen[bytes]", out: Path, env: Mapping[str, str], deadline: float) -> int | None:
    """Krita's exit code, or None when it had to be ended; its last screen is then in timeout.png."""
    while time.time() < deadline:
        try:
            return krita.wait(0.1)
        except subprocess.TimeoutExpired:
            pass
        log = (out / "krita.log").read_text(errors="replace")
        if "Could not import krita" in log:
            raise ScenarioFailed("Krita's Python found no PyQt: no plugin was loaded; see krita.log")
        if "Could not import linewash" in log:
            raise ScenarioFailed("a plugin was not loaded: " + log[-3000:])
    subprocess.run(["import", "-silent", "-window", "root", str(out / "timeout.png")], env=dict(env), timeout=30, check=False)
    os.kill(krita.pid, signal.SIGABRT)  # faulthandler writes into krita.log what every thread was doing
    with contextlib.suppress(subprocess.TimeoutExpired):
        krita.wait(5)
    return None
