"""``linewash doctor``: checks whether the backend can work, in plain words."""

import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

from backend.cli.backend_process import connect_backend
from shared.client import Client, find_server
from shared.devices.device_status import AUTOMATIC, PROCESSOR, DeviceInfo, DeviceStatus, NumberFormat
from shared.errors import LinewashError
from shared.paths import default_home, log_file
from shared.protocol import MAX_WAIT_S, PRODUCT_VERSION

PACKAGES = ("torch", "diffusers", "numpy", "opencv-python-headless", "scikit-image", "fastapi", "uvicorn", "requests")
ENOUGH_BYTES = 500 * 1024**2
"""Free space on the disk, bytes, below which a large result may not fit."""
LOAD_S = 180.0
"""How long a worker may take to load its model, seconds."""


class CheckFailed(Exception):
    """A check has failed; the text says why, in words a painter understands."""


def doctor(home: Annotated[Path | None, typer.Option(help="Folder of your Linewash data.")] = None) -> None:
    """Check the backend and say what is wrong; exit status 1 when something is."""
    home_folder = home or default_home()
    checks: tuple[Callable[[Path], str], ...] = (
        _check_python,
        _check_packages,
        _check_home,
        _check_space,
        _check_server,
    )
    # All checks run, also after one has failed, so that one call shows everything that is wrong.
    results = [_run_check(partial(check, home_folder)) for check in checks]
    try:
        with connect_backend(home_folder) as client:  # one for all that only a backend can say
            results += [_run_check(partial(check, client)) for check in (_list_devices, _check_device, _check_models)]
    except LinewashError as error:
        results.append(_run_check(partial(_fail, error)))
    healthy = all(results)
    typer.echo("The log is %s." % log_file(home_folder))
    raise typer.Exit(0 if healthy else 1)


def _run_check(check: Callable[[], str]) -> bool:
    """Print what a check has found; whether all is well."""
    try:
        typer.echo("ok     %s" % check())
    except CheckFailed as failure:
        typer.echo("wrong  %s" % failure)
        return False
    return True


def _fail(error: LinewashError) -> str:
    raise CheckFailed("%s %s (%s)" % (error.message, error.hint, error.detail))


def _check_python(_: Path) -> str:
    return "Linewash %s on Python %s, %s" % (PRODUCT_VERSION, platform.python_version(), platform.platform())


def _check_packages(_: Path) -> str:
    versions: list[str] = []
    for name in PACKAGES:
        try:
            versions.append("%s %s" % (name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            raise CheckFailed("%s is not installed in %s. Run install.py again." % (name, sys.prefix)) from None
    return ", ".join(versions)


def _check_home(home: Path) -> str:
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=home):
            return "Your data folder %s can be written." % home
    except OSError as error:
        raise CheckFailed("Your data folder %s cannot be written: %s." % (home, error.strerror)) from error


def _check_space(home: Path) -> str:
    free = shutil.disk_usage(home if home.is_dir() else home.anchor).free
    if free < ENOUGH_BYTES:
        raise CheckFailed("Only %d MB are free on the disk of %s." % (free // 1024**2, home))
    return "%.1f GB are free on its disk." % (free / 1024**3)


def _check_server(home: Path) -> str:
    try:
        client = find_server(home, timeout_s=3.0)
    except LinewashError as error:
        raise CheckFailed("%s %s" % (error.message, error.hint)) from error
    if client is None:
        return "No backend runs now; the docker starts it when it is needed."
    with client:
        return "The backend runs: process %d, port %d." % (client.info.pid, client.info.port)


def _list_devices(client: Client) -> str:
    status = _wait_for_devices(client)
    rows = "; ".join("%s (%s)" % (_describe_device(device), device.name) for device in status.devices)
    return " ".join(("Devices: %s." % rows, *status.hints))


def _check_device(client: Client) -> str:
    status = _wait_for_devices(client)
    if status.problem:
        raise CheckFailed(status.problem)
    how = "the best one" if status.choice == AUTOMATIC else "as chosen"
    wish = NumberFormat(client.system()["workers"][0]["number_format"])
    return "Runs on %s (%s), %s; %s." % (status.title(status.used), status.used, how, _describe_numbers(status.used, wish))


def _wait_for_devices(client: Client) -> DeviceStatus:
    until = time.monotonic() + LOAD_S
    while True:
        status = client.device(MAX_WAIT_S)
        if status.used:
            return status
        if time.monotonic() > until:
            raise CheckFailed("The coloring program does not say what it runs on. Look into the log.")


def _describe_device(device: DeviceInfo) -> str:
    from backend.families.runtime.memory_plan import free_memory  # it loads torch

    # The title of a graphics card has its memory.
    free = free_memory(PROCESSOR) if device.name == PROCESSOR else None
    return device.title if free is None else "%s, %.1f GB of memory free" % (device.title, free / 1024**3)


def _describe_numbers(device: str, wish: NumberFormat) -> str:
    from backend.families.runtime.number_format import choose_number_format, device_has_bfloat16  # they load torch

    chosen = choose_number_format(device, wish, device_has_bfloat16, lambda: True).number_format
    if wish is not NumberFormat.AUTOMATIC:
        return "large networks compute in %s, as set" % chosen.value
    where = " where memory allows" if chosen is NumberFormat.FLOAT32 else ""
    return "large networks compute in %s%s" % (chosen.value, where)


def _check_models(client: Client) -> str:
    until = time.monotonic() + LOAD_S
    while _is_starting(client) and time.monotonic() < until:
        time.sleep(0.1)  # only loading a model shows that its file is intact
    models = client.models()
    broken = ["%s: %s" % (model.title, model.reason) for model in models if not model.ready]
    if broken:
        raise CheckFailed("A model is not ready. Run install.py again. (%s)" % "; ".join(broken))
    return "Models ready: %s." % ", ".join(model.title for model in models)


def _is_starting(client: Client) -> bool:
    return any(worker["state"] == "starting" for worker in client.system()["workers"])
