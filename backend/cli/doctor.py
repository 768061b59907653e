"""``linewash doctor``: checks whether the backend can work, in plain words."""

import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

from backend.cli.backend_process import connect_backend
from shared.client import Client, find_server
from shared.errors import LinewashError
from shared.paths import default_home, log_file
from shared.protocol import PRODUCT_VERSION

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
        _check_models,
    )
    healthy = True
    # All checks run, also after one has failed, so that one call shows everything that is wrong.
    for check in checks:
        try:
            typer.echo("ok     %s" % check(home_folder))
        except CheckFailed as failure:
            healthy = False
            typer.echo("wrong  %s" % failure)
    typer.echo("The log is %s." % log_file(home_folder))
    raise typer.Exit(0 if healthy else 1)


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


def _check_models(home: Path) -> str:
    try:
        with connect_backend(home) as client:
            until = time.monotonic() + LOAD_S
            while _is_starting(client) and time.monotonic() < until:
                time.sleep(0.1)  # only loading a model shows that its file is intact
            models = client.models()
    except LinewashError as error:
        raise CheckFailed("%s %s (%s)" % (error.message, error.hint, error.detail)) from error
    broken = ["%s: %s" % (model.title, model.reason) for model in models if not model.ready]
    if broken:
        raise CheckFailed("A model is not ready. Run install.py again. (%s)" % "; ".join(broken))
    return "Models ready: %s." % ", ".join(model.title for model in models)


def _is_starting(client: Client) -> bool:
    return any(worker["state"] == "starting" for worker in client.system()["workers"])
