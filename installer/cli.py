"""The installer's commands and options."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from shared.paths import default_home

from . import demo, doctor, steps, testing, uninstall
from .text import InstallError, say

_DESCRIPTION = "Install Linewash: the backend into .venv of this folder, the plugin into Krita."
_COMMANDS = """\
commands:
  install    (also when no command is given) backend and plugin; a second run changes nothing
  demo       colour the bundled drawing and write layers, composite and an .ora; leaves your Krita alone
  test       run every check and test of the project
  doctor     say in plain words what is wrong and how to mend it
  uninstall  remove everything but your own files
"""


def parser() -> argparse.ArgumentParser:
    """The command line of install.py."""
    made = argparse.ArgumentParser(
        prog="install.py", description=_DESCRIPTION, epilog=_COMMANDS, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = ("install", "demo", "test", "doctor", "uninstall")
    made.add_argument("command", nargs="?", default="install", choices=commands, metavar="command")
    made.add_argument("--krita-dir", type=Path, help="Krita's resource folder, if it is not in the usual place")
    made.add_argument("--home", type=Path, help="folder for Linewash's data (default: %(default)s)", default=default_home())
    made.add_argument("--no-plugin", action="store_true", help="install: leave Krita alone")
    made.add_argument("--yes", action="store_true", help="ask nothing")
    made.add_argument("--out", type=Path, default=Path("demo-output"), help="demo: folder to write to (default: %(default)s)")
    made.add_argument("--require-krita", action="store_true", help="test: it is a failure when the real-Krita tests cannot run")
    return made


def main(arguments: Sequence[str]) -> int:
    """Run the installer with ``arguments``; the exit status: 0 all is well, 1 something the text says, 130 interrupted."""
    options = parser().parse_args(arguments)
    home = options.home.expanduser().absolute()
    try:
        if options.command == "demo":
            return demo.run_demo(options.out.expanduser().absolute())
        if options.command == "test":
            return testing.run_tests(options.require_krita)
        if options.command == "doctor":
            return doctor.report(home, options.krita_dir)
        if options.command == "uninstall":
            return uninstall.uninstall(home, options.krita_dir, ask=not options.yes and sys.stdin.isatty())
        return install(home, options.krita_dir, plugin=not options.no_plugin, ask=not options.yes and sys.stdin.isatty())
    except InstallError as error:
        say(f"\nStopped: {error}")
        return 1
    except KeyboardInterrupt:
        say("\nInterrupted. Start it again and it continues where it stopped.")
        return 130


def install(home: Path, krita_dir: Path | None, plugin: bool, ask: bool) -> int:
    """Install everything; 0 when done, 1 when the painter says no to the question (ask) whether to begin."""
    if ask and steps.would_download() and input("Install Linewash here? [Y/n] ").strip().lower() not in ("", "y", "yes"):
        say("Nothing was changed.")
        return 1
    python, changed = steps.prepare_backend()
    if plugin and steps.install_plugin(python, home, krita_dir):
        say("Done. If Krita is open, restart it; then find the docker under Settings > Dockers > Linewash.")
    elif changed:
        say("Done.")
    else:
        say("Everything is in place already; nothing was changed.")
    return 0
