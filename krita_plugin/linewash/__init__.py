"""Linewash in Krita: registers the docker and nothing else."""

import sys
from pathlib import Path

# The installer puts ``requests`` there.  Last on the path, so that it never hides a module Krita or another plugin brings.
sys.path.append(str(Path(__file__).resolve().parent / "vendor"))

from .controller import Controller  # noqa: E402
from .docker import LinewashDocker  # noqa: E402
from .jobs.backend_launcher import Launcher  # noqa: E402
from .krita_api.application import KritaApp  # noqa: E402
from .setup.backend_setup import BackendSetup  # noqa: E402

_app = KritaApp()
_controller = Controller(_app, Launcher.installed())
_setup = BackendSetup.of_plugin(_controller.loop)
_app.add_docker("linewash", lambda: LinewashDocker(_controller, _setup))
