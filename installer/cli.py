"""The installer's commands and options."""

import argparse
import errno
import sys
from collections.abc import Sequence
from pathlib import Path

from shared.paths import default_home
from shared.setup_progress import SetupPhase, SetupState, SetupTask

from . import demo, doctor, run_tests, steps, uninstall
from .checkout import checkout_target, is_release
from .devices.choice import AUTO
from .devices.hardware import DeviceKind
from .krita.installations import KritaInstallation, find_kritas, known_kritas, this_machine
from .messages import InstallError, SetupPaused, info
from .program import program_folder
from .progress import ProgressReport
from .python_environment import environment
from .python_environment.explain import install_error

PAUSED_STATUS = 3
"""The exit status when the installer was asked to pause."""

_DESCRIPTION = "Install Linewash: the backend into .venv of this folder (a release: into --home), the plugin into Krita."
_COMMANDS = """\
commands:
  install    (also when no command is given) backend and plugin; a second run changes nothing
  plan       say how much install would download, and do nothing else
  repair     look at every installed file and install anew what is damaged
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
    commands = ("install", "plan", "repair", "demo", "test", "doctor", "uninstall")
    parser.add_argument("command", nargs="?", default="install", choices=commands, metavar="command")
    parser.add_argument("--krita-dir", type=Path, help="Krita's resource folder, if it is not in the usual place")
    parser.add_argument("--home", type=Path, help="folder for Linewash's data (default: %(default)s)", default=default_home())
    parser.add_argument("--no-plugin", action="store_true", help="install, repair, uninstall: leave Krita alone")
    parser.add_argument("--yes", action="store_true", help="ask nothing")
    parser.add_argument(
        "--device",
        choices=(AUTO, *(kind.value for kind in DeviceKind)),
        help="what PyTorch is to compute on (default: as installed before, else what this computer has)",
    )
    parser.add_argument("--progress-file", type=Path, help="write how it is getting on to this file, as JSON")
    parser.add_argument("--out", type=Path, default=Path("demo-output"), help="demo: folder to write to (default: %(default)s)")
    parser.add_argument(
        "--require-krita", action="store_true", help="test: it is a failure when the real-Krita tests cannot run"
    )
    parser.add_argument(
        "--every-krita", action="store_true", help="test: also the core of them in Krita 5.2, 5.3 and 6.0 (downloads 1 GB once)"
    )
    return parser


def main(arguments: Sequence[str]) -> int:
    """Run the installer with ``arguments``; the exit status.

    0 = success, 1 = a problem that was printed, ``PAUSED_STATUS`` = asked to pause, 130 = interrupted with Ctrl-C.
    """
    options = build_parser().parse_args(arguments)
    report = report_of(options)
    try:
        with report.watch():
            status = _run_command(options, report, ask=not options.yes and sys.stdin is not None and sys.stdin.isatty())
        report.finish(SetupState.DONE, report.now.sentence if options.command == "plan" else "Done.")
        return status
    except InstallError as error:
        return _fail(report, error)
    except OSError as error:  # no write permission, a full disk: the system's message is plain enough
        if error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
            return _fail(report, install_error("disk_full"))
        reason = error.strerror or error
        return _fail(report, InstallError(f"{error.filename or 'a file'} could not be read or written: {reason}."))
    except (KeyboardInterrupt, SetupPaused) as error:
        is_pause = isinstance(error, SetupPaused)
        report.finish(SetupState.PAUSED, "Paused. The next start goes on where it stopped.")
        info("Paused." if is_pause else "\nInterrupted. Start it again and it continues where it stopped.")
        return PAUSED_STATUS if is_pause else 130
    except Exception as error:  # a bug of ours: the docker that reads the report must not wait for ever; the traceback follows
        report.finish(SetupState.FAILED, "Stopped.", f"The installer failed: {error!r}", "Please report this.")
        raise


def report_of(options: argparse.Namespace) -> ProgressReport:
    """The report of the command that these options name."""
    file: Path | None = options.progress_file
    task = next((task for task in SetupTask if task.value == options.command), SetupTask.INSTALL)
    return ProgressReport(file.expanduser().absolute() if file else None, task=task, wanted_device=options.device or "")


def _fail(report: ProgressReport, error: InstallError) -> int:
    report.finish(SetupState.FAILED, "Stopped.", error.sentence, error.hint)
    info(f"\nStopped: {error}")
    return 1


def _run_command(options: argparse.Namespace, report: ProgressReport, ask: bool) -> int:
    home, machine = options.home.expanduser().absolute(), this_machine()
    wish = steps.Wish(device=options.device, is_repair=options.command == "repair", ask=_choose if ask else None)
    if options.command == "demo":
        return demo.run_demo(options.out.expanduser().absolute(), wish, report)
    if options.command == "test":
        return run_tests.run_tests(options.require_krita, options.every_krita)
    if options.command == "doctor":
        return doctor.print_report(home, find_kritas(machine, options.krita_dir))
    if options.command == "plan":
        (program_folder.plan_program(home, wish, report) if is_release() else steps.plan_backend(wish, report))
        return 0
    if options.command == "uninstall":
        if ask and not _confirm("Remove Linewash (your documents stay)? [y/N] ", default=False):
            return 1
        kritas = find_kritas(machine, options.krita_dir) if options.krita_dir else known_kritas(machine)
        report.begin(SetupPhase.REMOVE, "Removing Linewash ...")
        uninstall.uninstall(home, () if options.no_plugin else kritas)
        return 0
    is_new = not is_release() and not environment.read_stamp(checkout_target().venv).fingerprint
    question = "Install Linewash here? The size is said before anything is downloaded. [Y/n] "
    if ask and is_new and not _confirm(question, default=True):
        return 1
    install(home, () if options.no_plugin else find_kritas(machine, options.krita_dir), wish, report)
    return 0


def install(home: Path, kritas: tuple[KritaInstallation, ...], wish: steps.Wish, report: ProgressReport) -> None:
    """Install the backend, and the plugin into each of ``kritas``; raises InstallError."""
    if is_release():
        changed, is_new = program_folder.install_program(home, wish, report), False
    else:
        python, changed = steps.prepare_backend(wish, report)
        if kritas:
            report.begin(SetupPhase.PLUGIN, "Looking at the plugin in Krita ...")
        is_new = steps.install_plugin(python, home, kritas)
    if is_new:
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


def _choose(question: str, default: int) -> int:
    count = question.count("\n") - 1
    while True:
        answer = input(question).strip()
        if not answer:
            return default
        if answer.isdigit() and 1 <= int(answer) <= count:
            return int(answer) - 1
