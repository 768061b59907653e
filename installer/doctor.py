"""``install.py doctor``: says in plain words what is wrong and how to fix it."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from shared.paths import read_server_info
from shared.protocol import PRODUCT_VERSION

from .checkout import Target, checkout_target, is_release
from .devices import diagnosis, hardware
from .krita import kritarc
from .krita.installations import KritaInstallation, this_machine
from .krita.plugin import differs_from_checkout, installed_version
from .krita.resource_folder import relative_folder
from .krita.sandbox_obstacle import sandbox_obstacle
from .messages import InstallError, format_gigabytes, info
from .program.program_folder import installed_target
from .python_environment import environment, requirements
from .subprocesses import capture_output

RUN_INSTALLER = "Run: python3 install.py"


@dataclass(frozen=True)
class Finding:
    """The outcome of one check."""

    is_ok: bool
    sentence: str
    """The outcome in one sentence."""
    fix: str = ""
    """What to do about it; '' = nothing."""


def print_report(home: Path, kritas: tuple[KritaInstallation, ...]) -> int:
    """Print all findings; the exit status: 0 when all are in order, otherwise 1."""
    target = (installed_target(home) if is_release() else None) or checkout_target()
    findings = list(examine(target, home, kritas))
    for finding in findings:
        info(f"{'ok   ' if finding.is_ok else 'WRONG'} {finding.sentence}")
        if finding.fix:
            info(f"      {finding.fix}")
    wrong = sum(not finding.is_ok for finding in findings)
    info("\nEverything is in order." if not wrong else f"\n{wrong} thing(s) to fix, see above.")
    return 1 if wrong else 0


def examine(target: Target, home: Path, kritas: tuple[KritaInstallation, ...]) -> Iterator[Finding]:
    """Check environment, device, backend, server, plugins; this Python and the disk when the environment is not ready."""
    python = environment.venv_python(target.venv, sys.platform)
    environment_result = environment_finding(target, python)
    if not environment_result.is_ok:
        yield python_finding()
        yield space_finding(requirements.free_bytes(target.venv))
    yield environment_result
    if environment_result.is_ok:
        yield device_finding(python, environment.read_stamp(target.venv).device)
        yield from backend_findings(python, target.project, home)
    else:
        yield server_finding(home)
    for krita in kritas:
        yield from plugin_findings(krita, python)


def python_finding() -> Finding:
    """Whether Linewash can be installed with this Python."""
    version = "Python " + ".".join(map(str, sys.version_info[:3]))
    try:
        requirements.check_python()
    except InstallError as error:
        return Finding(False, f"{version}: {error}")
    if sys.version_info[:2] > requirements.TESTED_PYTHONS[1]:
        return Finding(True, f"{version} is newer than those Linewash was tried with (3.10 to 3.14).")
    return Finding(True, f"{version} will do.")


def space_finding(free: int) -> Finding:
    """Whether there is enough disk space for results; ``free`` in bytes."""
    if free < 1_000_000_000:
        return Finding(False, f"Only {format_gigabytes(free)} of disk space are free.", "Free some space.")
    return Finding(True, f"{format_gigabytes(free)} of disk space are free.")


def environment_finding(target: Target, python: Path) -> Finding:
    """Whether the environment of ``target`` exists, is complete and up to date."""
    if not python.exists():
        return Finding(False, "The backend is not installed.", RUN_INSTALLER)
    if not environment.read_stamp(target.venv).fingerprint:
        return Finding(False, "The installation of the backend was interrupted.", f"{RUN_INSTALLER} (it continues)")
    if not environment.is_current(target, ("backend",)):
        return Finding(False, "The installed packages are not those this version of Linewash asks for.", RUN_INSTALLER)
    status, text = capture_output([python, "-m", "pip", "check"])
    if status != 0:
        return Finding(False, f"The installed packages do not fit together: {text.strip()}", "Run: python3 install.py repair")
    return Finding(True, f"The backend's packages are installed in {target.venv}.")


def device_finding(python: Path, device: str) -> Finding:
    """Whether PyTorch was built for the hardware of this computer and can use it; device: what it was installed for."""
    found = hardware.find_hardware(hardware.this_probe())
    return Finding(*diagnosis.diagnose(diagnosis.ask_torch(python), device or "cpu", found, sys.platform))


def backend_findings(python: Path, project: Path, home: Path) -> Iterator[Finding]:
    """The findings of the backend's own doctor, which starts a server if none runs, loads the model and checks its digest."""
    status, text = capture_output([python, "-m", "backend", "doctor", "--home", home], cwd=project)
    lines = [line.split(maxsplit=1) for line in text.splitlines()]
    verdicts = [(words[0] == "ok", words[1]) for words in lines if len(words) == 2 and words[0] in ("ok", "wrong")]
    yield from (Finding(is_ok, sentence) for is_ok, sentence in verdicts)
    if status != 0 and all(is_ok for is_ok, _ in verdicts):  # it failed before it could report a finding
        yield Finding(False, f"The backend does not start: {' '.join(text.split())[-400:]}", RUN_INSTALLER)


def plugin_findings(krita: KritaInstallation, python: Path) -> Iterator[Finding]:
    """Whether the plugin is where a Krita looks, has this version, is enabled, uses this backend and may start it."""
    content = kritarc.read(krita.settings)
    relative = relative_folder(content, this_machine().environ)
    if relative:
        yield Finding(
            False,
            f"{krita.name}: its resource folder is set to {relative}, which is no whole path here; with that Krita 5.1 and 5.2 "
            "load no plugin.",
            f"Choose the folder anew in Krita under Settings > Configure Krita > General > Resources, or delete the line "
            f"ResourceDirectory from {krita.settings}; then restart Krita.",
        )
    version = installed_version(krita.pykrita)
    if krita.unused is not None and (krita.unused / "pykrita" / "linewash").exists():
        yield Finding(
            False,
            f"{krita.name}: its resources were moved to {krita.resources}; a copy of the plugin is still in {krita.unused}.",
            f"{RUN_INSTALLER}, then restart Krita.",
        )
    if version is None:
        yield Finding(False, f"{krita.name}: the plugin is not installed in {krita.pykrita}.", RUN_INSTALLER)
        return
    installation = json.loads((krita.pykrita / "linewash" / "installation.json").read_text(encoding="utf-8"))
    if version != PRODUCT_VERSION:
        yield Finding(
            False,
            f"{krita.name}: the plugin is version {version}, the backend {PRODUCT_VERSION}.",
            f"{RUN_INSTALLER}, then restart Krita.",
        )
    elif installation["python"] != str(python):
        yield Finding(
            False,
            f"{krita.name}: the plugin uses another backend, {installation['python']}.",
            f"{RUN_INSTALLER} to use this one.",
        )
    elif differs_from_checkout(krita.pykrita):
        yield Finding(
            False, f"{krita.name}: the plugin is not the one in this folder.", f"{RUN_INSTALLER}, then restart Krita."
        )
    else:
        yield Finding(True, f"{krita.name}: plugin {version} in {krita.pykrita}.")
    if not kritarc.is_enabled(content):
        yield Finding(
            False,
            f"{krita.name}: the plugin is switched off in {krita.settings}.",
            f"{RUN_INSTALLER}, or tick it in Krita under Settings > Configure Krita > Python Plugin Manager.",
        )
    obstacle = sandbox_obstacle(krita, this_machine())
    if obstacle is not None:
        yield Finding(False, f"{krita.name}: {obstacle.message}", obstacle.hint)


def server_finding(home: Path) -> Finding:
    """Whether a backend of another version runs for ``home``; no backend is in order, because Krita starts one."""
    info = read_server_info(home)
    if info is None:
        return Finding(True, "No backend is running; Krita starts it when it is needed.")
    if info.version != PRODUCT_VERSION:
        return Finding(
            False, f"A backend of version {info.version} is still running.", "Restart Krita and run install.py again."
        )
    return Finding(True, f"A backend is running (process {info.pid}, port {info.port}).")
