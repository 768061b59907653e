"""The doctor says in plain words what is wrong and how to fix it."""

import json
import os
import sys
from pathlib import Path

import pytest

from install import assemble_plugin
from installer import doctor
from installer.checkout import checkout_target
from installer.krita.installations import KritaInstallation
from installer.python_environment import environment
from shared import paths
from shared.protocol import PRODUCT_VERSION


@pytest.fixture
def krita(tmp_path: Path) -> KritaInstallation:
    return KritaInstallation("Krita", tmp_path / "krita", tmp_path / "kritarc")


def installed(krita: KritaInstallation, python: str, version: str = PRODUCT_VERSION) -> None:
    assemble_plugin(krita.pykrita, None, None)
    (krita.pykrita / "linewash" / "installation.json").write_text(json.dumps({"python": python, "version": version}))
    krita.settings.write_bytes(b"[python]\nenable_linewash=true\n")


def words(findings: list[doctor.Finding]) -> list[tuple[bool, str]]:
    return [(finding.is_ok, finding.sentence) for finding in findings]


def test_nothing_installed_yet(tmp_path: Path, krita: KritaInstallation, capsys: pytest.CaptureFixture[str]) -> None:
    findings = list(doctor.examine(checkout_target(tmp_path), tmp_path / "home", (krita,)))
    assert [finding.sentence for finding in findings if not finding.is_ok] == [
        "The backend is not installed.",
        f"Krita: the plugin is not installed in {krita.pykrita}.",
    ]
    assert {finding.fix for finding in findings if not finding.is_ok} == {"Run: python3 install.py"}


def test_the_report_counts_what_is_wrong(tmp_path: Path, krita: KritaInstallation, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.print_report(tmp_path / "home", (krita,)) == 1
    out = capsys.readouterr().out
    assert f"WRONG Krita: the plugin is not installed in {krita.pykrita}." in out
    assert "to fix, see above." in out


def test_an_interrupted_installation_is_recognized(tmp_path: Path) -> None:
    python = environment.venv_python(tmp_path / ".venv", "linux")
    python.parent.mkdir(parents=True)
    python.write_text("")
    assert (
        doctor.environment_finding(checkout_target(tmp_path), python).sentence
        == "The installation of the backend was interrupted."
    )


def test_other_pins_than_installed_are_recognized(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_text("")
    python = environment.venv_python(tmp_path / ".venv", "linux")
    python.parent.mkdir(parents=True)
    python.write_text("")
    stamp = {
        "fingerprint": environment.fingerprint(checkout_target(tmp_path), ["backend"]),
        "extras": ["backend"],
        "device": "cpu",
    }
    (tmp_path / ".venv" / environment.STAMP).write_text(json.dumps(stamp))
    (tmp_path / "constraints.txt").write_text("torch==1")
    assert "not those this version" in doctor.environment_finding(checkout_target(tmp_path), python).sentence


def test_a_plugin_in_order(krita: KritaInstallation) -> None:
    installed(krita, "python")
    assert words(list(doctor.plugin_findings(krita, Path("python")))) == [
        (True, f"Krita: plugin {PRODUCT_VERSION} in {krita.pykrita}.")
    ]


def test_an_old_plugin_another_backend_and_a_plugin_switched_off(krita: KritaInstallation) -> None:
    installed(krita, "python", "0.0.1")
    assert words(list(doctor.plugin_findings(krita, Path("python")))) == [
        (False, f"Krita: the plugin is version 0.0.1, the backend {PRODUCT_VERSION}.")
    ]
    (krita.pykrita / "linewash" / "installation.json").write_text(json.dumps({"python": "p", "version": PRODUCT_VERSION}))
    krita.settings.write_bytes(b"[python]\nenable_linewash=false\n")
    assert words(list(doctor.plugin_findings(krita, Path("python")))) == [
        (False, "Krita: the plugin uses another backend, p."),
        (False, f"Krita: the plugin is switched off in {krita.settings}."),
    ]


def test_a_plugin_of_another_checkout(krita: KritaInstallation) -> None:
    installed(krita, "python")
    (krita.pykrita / "linewash" / "shared" / "client.py").write_text("# an older one")
    assert words(list(doctor.plugin_findings(krita, Path("python")))) == [
        (False, "Krita: the plugin is not the one in this folder.")
    ]


@pytest.mark.parametrize(
    ("output", "status", "findings"),
    [
        ("ok     Models ready: Mini.\nThe log is here.", 0, [(True, "Models ready: Mini.")]),
        ("wrong  The model file is damaged.", 1, [(False, "The model file is damaged.")]),
        ("Traceback\nImportError: x", 1, [(False, "The backend does not start: Traceback ImportError: x")]),
    ],
)
def test_the_backends_own_doctor_is_passed_on(
    tmp_path: Path, output: str, status: int, findings: list[tuple[bool, str]]
) -> None:
    (tmp_path / "backend").mkdir()
    (tmp_path / "backend" / "__main__.py").write_text(f"print({output!r})\nraise SystemExit({status})\n")
    assert words(list(doctor.backend_findings(Path(sys.executable), tmp_path, tmp_path))) == findings


def test_little_space() -> None:
    assert doctor.space_finding(400_000_000).sentence == "Only 400 MB of disk space are free."
    assert doctor.space_finding(4_000_000_000).is_ok


@pytest.mark.parametrize(("version", "well"), [(PRODUCT_VERSION, True), ("0.0.1", False)])
def test_a_running_backend(tmp_path: Path, version: str, well: bool) -> None:
    assert doctor.server_finding(tmp_path).is_ok
    paths.runtime_dir(tmp_path).mkdir()
    noted = {"host": "127.0.0.1", "port": 9, "token": "t", "pid": os.getpid(), "protocol": 1, "version": version}
    paths.server_file(tmp_path).write_text(json.dumps(noted))
    finding = doctor.server_finding(tmp_path)
    assert finding.is_ok == well
    assert version in finding.sentence or "port 9" in finding.sentence
