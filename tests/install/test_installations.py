"""Where Krita is looked for, on each system."""

from pathlib import Path

import pytest

from installer.krita.installations import Kind, Machine, find_kritas, known_kritas
from installer.krita.sandbox_obstacle import flatpak_may_start_programs, sandbox_obstacle

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


def test_linux_knows_flatpak_and_snap_too() -> None:
    kritas = {krita.kind: (krita.resources, krita.settings) for krita in known_kritas(Machine("linux", {}, HOME))}
    snap = HOME / "snap/krita/current"
    assert kritas[Kind.FLATPAK] == (FLATPAK / "data/krita", FLATPAK / "config/kritarc")
    assert kritas[Kind.SNAP] == (snap / ".local/share/krita", snap / ".config/kritarc")


def test_windows_knows_the_store_where_its_package_is(tmp_path: Path) -> None:
    machine = Machine("win32", {}, tmp_path)
    assert [krita.kind for krita in known_kritas(machine)] == [Kind.ORDINARY]
    package = tmp_path / "AppData/Local/Packages/49800Krita_abcdefghijklm"
    package.mkdir(parents=True)
    (store,) = find_kritas(machine)
    assert (store.kind, store.resources) == (Kind.STORE, package / "LocalCache/Roaming/krita")
    assert store.settings == package / "LocalCache/Local/kritarc"


def test_without_any_krita_the_ordinary_one_is_chosen(tmp_path: Path) -> None:
    machine = Machine("linux", {}, tmp_path)
    assert find_kritas(machine) == known_kritas(machine)[:1]


def test_every_krita_that_was_started_is_chosen(tmp_path: Path) -> None:
    machine = Machine("linux", {}, tmp_path)
    ordinary, flatpak, _ = known_kritas(machine)
    flatpak.resources.mkdir(parents=True)
    assert find_kritas(machine) == (flatpak,)
    ordinary.settings.parent.mkdir(parents=True)
    ordinary.settings.write_bytes(b"")
    assert find_kritas(machine) == (ordinary, flatpak)


def test_a_folder_of_the_painters_own_replaces_the_others(tmp_path: Path) -> None:
    machine = Machine("linux", {}, tmp_path)
    ordinary, flatpak, _ = known_kritas(machine)
    ordinary.resources.mkdir(parents=True)
    (chosen,) = find_kritas(machine, tmp_path / "mine")
    assert (chosen.resources, chosen.settings) == (tmp_path / "mine", ordinary.settings)
    (chosen,) = find_kritas(machine, flatpak.resources)
    assert chosen.settings == flatpak.settings


def test_a_moved_resource_folder_is_followed(tmp_path: Path) -> None:
    machine = Machine("linux", {}, tmp_path)
    settings = tmp_path / ".config" / "kritarc"
    settings.parent.mkdir()
    settings.write_bytes(b"ResourceDirectory=%s\n\n[python]\n" % str(tmp_path / "brushes").encode())
    (krita,) = find_kritas(machine)
    assert krita.resources == tmp_path / "brushes"
    assert krita.unused == tmp_path / ".local/share/krita"
    (same,) = find_kritas(machine, tmp_path / "brushes")
    assert same == krita


@pytest.mark.parametrize(
    ("overrides", "allowed"),
    [
        ({}, False),
        ({"user/org.kde.krita": "talk"}, True),
        ({"user/global": "talk"}, True),
        ({"all/org.kde.krita": "own"}, True),
        ({"all/global": "talk", "user/org.kde.krita": "none"}, False),
        ({"user/org.kde.gwenview": "talk"}, False),
    ],
)
def test_who_allowed_krita_out_of_the_flatpak_is_known(tmp_path: Path, overrides: dict[str, str], allowed: bool) -> None:
    """The files are as ``flatpak override`` 1.14 writes them."""
    folders = {"user": tmp_path / ".local/share/flatpak/overrides", "all": tmp_path / "all"}
    for name, policy in overrides.items():
        file = folders[name.split("/")[0]] / name.split("/")[1]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"[Context]\nfilesystems=home;\n\n[Session Bus Policy]\norg.freedesktop.Flatpak={policy}\n")
    machine = Machine("linux", {}, tmp_path)
    assert flatpak_may_start_programs(machine, folders["all"]) is allowed


def test_what_is_in_the_way_of_a_sandboxed_krita(tmp_path: Path) -> None:
    machine = Machine("linux", {}, tmp_path)
    ordinary, flatpak, snap = known_kritas(machine)
    assert sandbox_obstacle(ordinary, machine) is None
    for krita, word in ((flatpak, "flatpak override --user"), (snap, "use Krita as AppImage")):
        obstacle = sandbox_obstacle(krita, machine)
        assert obstacle is not None and word in obstacle.hint
