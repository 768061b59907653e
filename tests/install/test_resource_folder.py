"""Where Krita looks for plugins after its resource folder was moved; each case was tried in Krita 5.1.5 to 6.0.4."""

import sys
from pathlib import Path

import pytest

from installer import doctor, steps, uninstall
from installer.krita.installations import KritaInstallation, Machine, find_kritas
from installer.krita.resource_folder import moved_folder, relative_folder


@pytest.mark.parametrize(
    ("settings", "folder"),
    [
        ("ResourceDirectory={0}/moved place\n", "moved place"),
        ("\n# note\n ResourceDirectory = {0}/moved \n\n[theme]\n", "moved"),
        ("ResourceDirectory={0}/first\r\nResourceDirectory={0}/last\r\n", "last"),
        ("ResourceDirectory={0}/m\\xc3\\xb6ved\\splace\\\\x\n", "möved place\\x"),
        ("ResourceDirectory={0}/möved\n", "möved"),
        ("ResourceDirectory[$e]=$BASE/${{NAME}}/a$$b\n", "ana/a$b"),
        ("ResourceDirectory={0}/$NAME\n", "$NAME"),
        ("ResourceDirectory={0}/gone/and/missing\n", "gone/and/missing"),
        ("", None),
        ("ResourceDirectory=\n", None),
        ("[General]\nResourceDirectory={0}/moved\n", None),
        ("ResourceDirectory=moved\n", None),
        ("ResourceDirectory=C:/Users/ana/krita\n", None),
        ("ResourceDirectory={0}/file\n", None),
        ("ResourceDirectory={0}/file/below\n", None),
        ("NotResourceDirectory={0}/moved\n", None),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="the folders of these settings are those of other systems")
def test_the_folder_that_krita_uses(tmp_path: Path, settings: str, folder: str | None) -> None:
    (tmp_path / "file").touch()
    found = moved_folder(settings.format(tmp_path).encode(), {"BASE": str(tmp_path), "NAME": "ana"})
    assert found == (None if folder is None else tmp_path / folder)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ("ResourceDirectory=moved\n", "moved"),
        ("ResourceDirectory=C:/Users/ana/krita\n", "C:/Users/ana/krita"),
        ("ResourceDirectory=C:\\\\Users\\\\ana\n", "C:\\Users\\ana"),
        ("ResourceDirectory[$e]=$NAME/krita\n", "ana/krita"),
        ("ResourceDirectory=/srv/krita\n", ""),
        ("ResourceDirectory=\n", ""),
        ("[General]\nResourceDirectory=moved\n", ""),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="the folders of these settings are those of other systems")
def test_a_folder_with_which_krita_loads_no_plugin(settings: str, named: str) -> None:
    assert relative_folder(settings.encode(), {"NAME": "ana"}) == named


@pytest.mark.skipif(sys.platform == "win32", reason="there a path begins with a drive")
def test_the_doctor_says_that_krita_loads_no_plugin(tmp_path: Path) -> None:
    krita, python = krita_of(Machine("linux", {}, tmp_path)), Path(sys.executable)
    steps.install_plugin(python, tmp_path / "home", [krita])
    assert all(finding.is_ok for finding in doctor.plugin_findings(krita, python))
    krita.settings.write_bytes(b"ResourceDirectory=C:/Users/ana/krita\n" + krita.settings.read_bytes())
    first, *others = doctor.plugin_findings(krita, python)
    assert not first.is_ok and "C:/Users/ana/krita" in first.sentence and "load no plugin" in first.sentence
    assert f"delete the line ResourceDirectory from {krita.settings}" in first.fix
    assert all(finding.is_ok for finding in others)


def krita_of(machine: Machine) -> KritaInstallation:
    (krita,) = find_kritas(machine)
    return krita


def test_a_folder_moved_after_installing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Doctor says so, installing mends it, and uninstalling takes both copies."""
    machine = Machine("linux", {}, tmp_path)
    before = krita_of(machine)
    python = Path(sys.executable)
    steps.install_plugin(python, tmp_path / "home", [before])
    (before.pykrita / "comics").mkdir()
    text = before.settings.read_bytes()
    before.settings.write_bytes(b"ResourceDirectory=%s\n" % str(tmp_path / "moved").encode() + text)
    after = krita_of(machine)

    wrong = [finding for finding in doctor.plugin_findings(after, python) if not finding.is_ok]
    assert [finding.sentence for finding in wrong] == [
        f"Krita: its resources were moved to {after.resources}; a copy of the plugin is still in {before.resources}.",
        f"Krita: the plugin is not installed in {tmp_path / 'moved' / 'pykrita'}.",
    ]
    assert {finding.fix.split(",")[0] for finding in wrong} == {"Run: python3 install.py"}

    assert steps.install_plugin(python, tmp_path / "home", [after])
    assert [path.name for path in before.pykrita.iterdir()] == ["comics"]
    assert (tmp_path / "moved/pykrita/linewash/__init__.py").is_file()
    assert "the resource folder was moved" in capsys.readouterr().out
    assert all(finding.is_ok for finding in doctor.plugin_findings(after, python))
    assert not steps.install_plugin(python, tmp_path / "home", [after])

    steps.install_plugin(python, tmp_path / "home", [before])
    uninstall.remove_from_krita(after)
    assert not (tmp_path / "moved").exists()
    assert [path.name for path in before.pykrita.iterdir()] == ["comics"]
