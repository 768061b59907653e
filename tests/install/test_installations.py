"""Where Krita is looked for, on each system."""

from pathlib import Path

import pytest

from installer.krita.installations import Machine, find_kritas, known_kritas

HOME = Path("users") / "ana"
FLATPAK = HOME / ".var/app/org.kde.krita"


@pytest.mark.parametrize(
    ("platform", "environ", "resources", "settings"),
    [
        ("linux", {}, HOME / ".local/share/krita", HOME / ".config/kritarc"),
        ("linux", {"XDG_DATA_HOME": "d", "XDG_CONFIG_HOME": "c"}, Path("d/krita"), Path("c/kritarc")),
        ("linux", {"XDG_DATA_HOME": ""}, HOME / ".local/share/krita", HOME / ".config/kritarc"),
        ("darwin", {}, HOME / "Library/Application Support/krita", HOME / "Library/Preferences/kritarc"),
        ("win32", {"APPDATA": "R", "LOCALAPPDATA": "L"}, Path("R/krita"), Path("L/kritarc")),
        ("win32", {}, HOME / "AppData/Roaming/krita", HOME / "AppData/Local/kritarc"),
    ],
)
def test_the_ordinary_krita_of_each_system(platform: str, environ: dict[str, str], resources: Path, settings: Path) -> None:
    krita = known_kritas(Machine(platform, environ, HOME))[0]
    assert (krita.resources, krita.settings, krita.pykrita) == (resources, settings, resources / "pykrita")


def test_linux_knows_the_flatpak_too() -> None:
    krita = known_kritas(Machine("linux", {}, HOME))[1]
    assert (krita.resources, krita.settings) == (FLATPAK / "data/krita", FLATPAK / "config/kritarc")


def test_without_any_krita_the_ordinary_one_is_chosen(tmp_path: Path) -> None:
    machine = Machine("linux", {}, tmp_path)
    assert find_kritas(machine) == known_kritas(machine)[:1]


def test_every_krita_that_was_started_is_chosen(tmp_path: Path) -> None:
    machine = Machine("linux", {}, tmp_path)
    ordinary, flatpak = known_kritas(machine)
    flatpak.resources.mkdir(parents=True)
    assert find_kritas(machine) == (flatpak,)
    ordinary.settings.parent.mkdir(parents=True)
    ordinary.settings.write_bytes(b"")
    assert find_kritas(machine) == (ordinary, flatpak)


def test_a_folder_of_the_painters_own_replaces_the_others(tmp_path: Path) -> None:
    machine = Machine("linux", {}, tmp_path)
    ordinary, flatpak = known_kritas(machine)
    ordinary.resources.mkdir(parents=True)
    (chosen,) = find_kritas(machine, tmp_path / "mine")
    assert (chosen.resources, chosen.settings) == (tmp_path / "mine", ordinary.settings)
    (chosen,) = find_kritas(machine, flatpak.resources)
    assert chosen.settings == flatpak.settings
