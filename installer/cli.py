"""The installer's commands and options."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from shared.paths import default_home

from . import demo, doctor, run_tests, steps, uninstall
from .krita.installations import KritaInstallation, find_kritas, known_kritas, this_machine
from .messages import InstallError, info
from .python_environment.requirements import space_notice

_DESCRIPTION = "Install Linewash: the backend into .venv of this folder, the plugin into Krita."
_COMMANDS = """\
commands:
  install    (also when no command is given) backend and plugin; a second run changes nothing
  demo       color the bundled drawing and write layers, composite and an .ora; leaves your Krita alone
  test       run every check and test of the project
  doctor     say in plain words what is wrong and how to fix it
  uninstall  remove everything but your own files
"""


def build_parser() -> argparse.ArgumentParser:
    """The command line of install.py."""
    parser = argparse.ArgumentParser(
        prog="install.py", description=_DESCRIPTION, epilog=_COMMANDS, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = ("install", "demo", "test", "doctor", "uninstall")
    parser.add_argument("command", nargs="?", default="install", choices=commands, metavar="command")
    parser.add_argument("--krita-dir", type=Path, help="Krita's resource folder, if it is not in the usual place")
    parser.add_argument("--home", type=Path, help="folder for Linewash's data (default: %(default)s)", default=default_home())
    parser.add_argument("--no-plugin", action="store_true", help="install: leave Krita alone")
    parser.add_argument("--yes", action="store_true", help="ask nothing")
    parser.add_argument("--out", type=Path, default=Path("demo-output"), help="demo: folder to write to (default: %(default)s)")
    parser.add_argument(
        "--require-krita", action="store_true", help="test: it is a failure when the real-Krita tests cannot run"
    )
    parser.add_argument(
        "--every-krita", action="store_true", help="test: also the core of them in Krita 5.2, 5.3 and 6.0 (downloads 1 GB once)"
    )
    return parser


def main(arguments: Sequence[str]) -> int:
    """Run the installer with ``arguments``; the exit status: 0 = success, 1 = a problem that was printed, 130 = interrupted."""
    options = build_parser().parse_args(arguments)
    try:
        return _run_command(options, ask=not options.yes and sys.stdin is not None and sys.stdin.isatty())
    except InstallError as error:
        info(f"\nStopped: {error}")
        return 1
    except OSError as error:  # no write permission, a full disk: the system's message is plain enough
        info(f"\nStopped: {error.filename or 'a file'} could not be read or written: {error.strerror or error}.")
        return 1
    except KeyboardInterrupt:
        info("\nInterrupted. Start it again and it continues where it stopped.")
        return 130


def _run_command(options: argparse.Namespace, ask: bool) -> int:
    home, machine = options.home.expanduser().absolute(), this_machine()
    downloads = options.command in ("install", "demo", "test") and steps.would_download()
    if downloads:
        info(space_notice(machine.platform))
    if options.command == "demo":
        return demo.run_demo(options.out.expanduser().absolute())
    if options.command == "test":
        return run_tests.run_tests(options.require_krita, options.every_krita)
    if options.command == "doctor":
        return doctor.print_report(home, find_kritas(machine, options.krita_dir))
    if options.command == "uninstall":
        if ask and not _confirm("Remove Linewash (your documents stay)? [y/N] ", default=False):
            return 1
        uninstall.uninstall(home, find_kritas(machine, options.krita_dir) if options.krita_dir else known_kritas(machine))
        return 0
    if ask and downloads and not _confirm("Install Linewash here? [Y/n] ", default=True):
        return 1
    install(home, () if options.no_plugin else find_kritas(machine, options.krita_dir))
    return 0


def install(home: Path, kritas: tuple[KritaInstallation, ...]) -> None:
    """Install the backend, and the plugin into each of ``kritas``; raises InstallError."""
    python, changed = steps.prepare_backend()
    if steps.install_plugin(python, home, kritas):
        info("Done. If Krita is open, restart it; then find the docker under Settings > Dockers > Linewash.")
    elif changed:
        info("Done.")
    else:
        info("Everything is in place already; nothing was changed.")


def _confirm(question: str, default: bool) -> bool:
    answer = input(question).strip().lower()
    agreed = answer in ("y", "yes") if answer else default
    if not agreed:
        info("Nothing was changed.")
    return agreed
