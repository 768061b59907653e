"""Programs are started alike from every kind of Krita: with a clean environment, and out of the sandbox where it must be."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

HOST_COMMAND = f"""#!{sys.executable}
import json, os, subprocess, sys
words = sys.argv[1:]
with open(os.environ["FLATPAK_LOG"], "a") as log:
    log.write(json.dumps(words) + "\\n")
if os.environ.get("FLATPAK_REFUSES"):
    sys.exit("Portal call failed: org.freedesktop.DBus.Error.ServiceUnknown")
assert words.pop(0) == "--host", words
host, folder = {{"PATH": "/usr/bin:/bin", "ON_HOST": "yes"}}, None
while words[0].startswith("--"):
    name, _, value = words.pop(0).partition("=")
    if name == "--env":
        host.update([value.split("=", 1)])
    elif name == "--directory":
        folder = value
sys.exit(subprocess.run(words, cwd=folder, env=host).returncode)
"""


def surroundings(plugin: Any, environment: dict[str, str], sandbox: str = "", bundles: tuple[str, ...] = ()) -> Any:
    return plugin.jobs.child_process.Surroundings(environment, sandbox, bundles)


@pytest.fixture
def flatpak(tmp_path: Path, plugin: Any) -> Any:
    """The surroundings in a Flatpak whose ``flatpak-spawn`` starts the program with an environment of its own."""
    folder = tmp_path / "app" / "bin"
    folder.mkdir(parents=True)
    command = folder / "flatpak-spawn"
    command.write_text(HOST_COMMAND)
    command.chmod(0o755)
    environment = {
        "PATH": f"{folder}:/usr/bin:/bin",
        "PYTHONPATH": "/app/lib/python3/dist-packages",
        "FLATPAK_ID": "org.kde.krita",
        "FLATPAK_LOG": str(tmp_path / "flatpak.log"),
        "LINEWASH_IDLE_S": "9",
    }
    return surroundings(plugin, environment, "flatpak:org.kde.krita")


@pytest.fixture
def started() -> Iterator[list[Any]]:
    processes: list[Any] = []
    yield processes
    for process in processes:
        # With what it has started: each begins a session of its own, and ``flatpak-spawn`` stands between us and the backend.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def launcher_in(plugin: Any, note: Path, where: Any, started: list[Any]) -> Any:
    def spawn(*words: Any, **options: Any) -> Any:
        started.append(subprocess.Popen(*words, **options))
        return started[-1]

    return plugin.jobs.backend_launcher.Launcher(note, spawn, lambda: where)


def environment_of_backend(home: Path) -> dict[str, str]:
    return json.loads((home / "environment.json").read_text())


APPDIR = "/tmp/.mount_kritaAbCd"


def test_nothing_of_an_appimage_reaches_the_program_and_all_else_does(plugin: Any) -> None:
    """The variables that Krita 5.2's own AppRun and main program set, and what others point into an AppImage."""
    painters = {"HOME": "~", "LANG": "pt_BR.UTF-8", "HTTPS_PROXY": "http://10.0.0.1:3128", "EMPTY": ""}
    krita = {
        "APPDIR": APPDIR,
        "APPIMAGE": "~/krita-5.2.9-x86_64.appimage",
        "ARGV0": "./krita.appimage",
        "OWD": "~",
        "PYTHONHOME": f"{APPDIR}/usr",
        "PYTHONPATH": f"{APPDIR}/usr/lib/krita-python-libs:/media/ana/.local/share/krita/pykrita",
        "QT_PLUGIN_PATH": f"{APPDIR}/usr/plugins",
        "GST_PLUGIN_SYSTEM_PATH_1_0": f"{APPDIR}/usr/lib/gstreamer-1.0/:",
        "GST_PLUGIN_SCANNER": f"{APPDIR}/usr/lib/gstreamer-1.0/gst-plugin-scanner",
        "GIO_MODULE_DIR": f"{APPDIR}/usr/lib/gio/modules",
        "GTK_EXE_PREFIX": f"{APPDIR}/usr",
        "FONTCONFIG_FILE": f"{APPDIR}/etc/fonts/fonts.conf",
        "SSL_CERT_FILE": f"{APPDIR}/usr/ssl/cert.pem",
    }
    lists = {
        "PATH": (f"{APPDIR}/usr/bin:/media/ana/bin:/usr/bin", "/media/ana/bin:/usr/bin"),
        "LD_LIBRARY_PATH": (f"{APPDIR}/usr/libstdcpp-fallback/:/usr/local/cuda/lib64", "/usr/local/cuda/lib64"),
        "LD_PRELOAD": (f"{APPDIR}/usr/lib/a.so /usr/lib/libgamemode.so", "/usr/lib/libgamemode.so"),
        "XDG_DATA_DIRS": (f"{APPDIR}/usr/bin/../share:/usr/local/share:/usr/share", "/usr/local/share:/usr/share"),
    }
    mixed = {name: value for name, (value, _) in lists.items()}
    where = surroundings(plugin, {**painters, **krita, **mixed}, bundles=(APPDIR,))
    expected = {"PYTHONUTF8": "1", **painters, **{name: value for name, (_, value) in lists.items()}}
    assert plugin.jobs.child_process.clean_environment(where) == expected


def test_the_fallback_library_leaves_no_current_folder_behind(plugin: Any) -> None:
    """AppRun puts its folder and a colon before LD_LIBRARY_PATH, also when that was empty."""
    where = surroundings(plugin, {"LD_LIBRARY_PATH": f"{APPDIR}/usr/libstdcpp-fallback/:"}, bundles=(APPDIR,))
    assert plugin.jobs.child_process.clean_environment(where) == {"PYTHONUTF8": "1"}


def test_a_neighbor_of_the_bundle_and_what_is_no_path_stay(plugin: Any) -> None:
    environment = {"PATH": f"{APPDIR}X/bin:/bin", "LD_LIBRARY_PATH": "mine", "SHELL_FUNCTION": "f:g:h i"}
    cleaned = plugin.jobs.child_process.clean_environment(surroundings(plugin, environment, bundles=(APPDIR,)))
    assert cleaned == {"PYTHONUTF8": "1", **environment}


def test_a_macos_bundle(plugin: Any) -> None:
    bundle = "/Applications/krita.app"
    environment = {
        "DYLD_LIBRARY_PATH": f"{bundle}/Contents/Frameworks",
        "__PYVENV_LAUNCHER__": f"{bundle}/Contents/MacOS/krita",
        "PATH": f"{bundle}/Contents/MacOS:/Applications/Other.app/Contents/bin:/usr/bin",
    }
    cleaned = plugin.jobs.child_process.clean_environment(surroundings(plugin, environment, bundles=(bundle,)))
    assert cleaned == {"PYTHONUTF8": "1", "PATH": "/Applications/Other.app/Contents/bin:/usr/bin"}


@pytest.mark.parametrize(
    ("environment", "file", "sandbox"),
    [
        ({}, False, ""),
        ({"FLATPAK_ID": "org.kde.krita"}, False, ""),
        ({"FLATPAK_ID": "org.kde.krita"}, True, "flatpak:org.kde.krita"),
        ({}, True, "flatpak:org.kde.krita"),
        ({"SNAP": "/snap/krita/110", "SNAP_NAME": "krita"}, False, "snap:krita"),
        ({"SNAP": "/snap/code/9", "SNAP_NAME": "code"}, False, ""),
    ],
)
def test_sandboxes_are_recognized(plugin: Any, tmp_path: Path, environment: dict[str, str], file: bool, sandbox: str) -> None:
    if file:
        (tmp_path / ".flatpak-info").touch()
    assert plugin.shared.sandbox.current_sandbox(environment, tmp_path) == sandbox
    assert plugin.shared.sandbox.sees_all_processes(tmp_path) is not file


def test_the_backend_starts_from_an_appimage_without_its_libraries(
    plugin: Any, note: Path, home: Path, tmp_path: Path, started: list[Any]
) -> None:
    """With a broken library and a Python that is not there: with either, Python would not start."""
    appdir = tmp_path / ".mount_krita"
    (appdir / "usr" / "lib").mkdir(parents=True)
    (appdir / "usr" / "lib" / "libc.so.6").write_bytes(b"no library")
    environment = {
        **os.environ,
        "APPDIR": str(appdir),
        "LD_LIBRARY_PATH": f"{appdir}/usr/lib:/usr/local/mine",
        "PYTHONHOME": f"{appdir}/usr",
        "PATH": f"{appdir}/usr/bin:{os.environ['PATH']}",
    }
    broken = subprocess.run([sys.executable, "-c", "pass"], env=environment, capture_output=True)
    assert broken.returncode != 0
    launcher = launcher_in(plugin, note, surroundings(plugin, environment, bundles=(str(appdir),)), started)
    launcher.find_or_start(lambda text: None, lambda: False)
    seen = environment_of_backend(home)
    assert not [name for name, value in seen.items() if str(appdir) in value]
    assert seen["LD_LIBRARY_PATH"] == "/usr/local/mine" and seen["PATH"] == os.environ["PATH"]


def test_from_a_flatpak_the_backend_is_started_on_the_host(
    plugin: Any, note: Path, home: Path, flatpak: Any, started: list[Any]
) -> None:
    launcher_in(plugin, note, flatpak, started).find_or_start(lambda text: None, lambda: False)
    seen = environment_of_backend(home)
    assert seen["ON_HOST"] == "yes" and seen["LINEWASH_IDLE_S"] == "9"
    assert "PYTHONPATH" not in seen and "FLATPAK_ID" not in seen
    question, start = map(json.loads, Path(flatpak.environment["FLATPAK_LOG"]).read_text().splitlines())
    assert question == ["--host", "--directory=/", "true"]
    project = json.loads(note.read_text())["project"]
    assert start[:3] == ["--host", f"--directory={project}", "--env=LINEWASH_IDLE_S=9"]


def test_what_a_flatpak_cannot_see_is_started_all_the_same(plugin: Any, note: Path, flatpak: Any, started: list[Any]) -> None:
    """The Python of a virtual environment is a link into the host's /usr, and a Flatpak has another one."""
    record = json.loads(note.read_text())
    note.write_text(json.dumps({**record, "python": "/nowhere/python"}))
    with pytest.raises(plugin.shared.errors.LinewashError) as caught:
        launcher_in(plugin, note, flatpak, started).find_or_start(lambda text: None, lambda: False)
    assert caught.value.code is plugin.shared.errors.ErrorCode.BACKEND_START
    assert len(started) == 1


def test_a_backend_set_up_inside_the_flatpak_is_started_inside(
    plugin: Any, note: Path, home: Path, flatpak: Any, started: list[Any]
) -> None:
    note.write_text(json.dumps({**json.loads(note.read_text()), "sandbox": "flatpak:org.kde.krita"}))
    launcher_in(plugin, note, flatpak, started).find_or_start(lambda text: None, lambda: False)
    seen = environment_of_backend(home)
    assert seen["FLATPAK_ID"] == "org.kde.krita" and "PYTHONPATH" not in seen and "ON_HOST" not in seen


def test_a_flatpak_that_may_not_says_which_command_allows_it(plugin: Any, note: Path, flatpak: Any, started: list[Any]) -> None:
    closed = surroundings(plugin, {**flatpak.environment, "FLATPAK_REFUSES": "yes"}, flatpak.sandbox)
    without = surroundings(plugin, {**flatpak.environment, "PATH": "/nowhere"}, flatpak.sandbox)
    for where in (closed, without):
        with pytest.raises(plugin.shared.errors.LinewashError) as caught:
            launcher_in(plugin, note, where, started).find_or_start(lambda text: None, lambda: False)
        assert caught.value.code is plugin.shared.errors.ErrorCode.FLATPAK_CLOSED
        assert "flatpak override --user --talk-name=org.freedesktop.Flatpak org.kde.krita" in caught.value.hint
    assert started == []


def test_a_snap_says_that_it_may_not(plugin: Any, note: Path, started: list[Any]) -> None:
    where = surroundings(plugin, {"SNAP": "/snap/krita/110", "SNAP_NAME": "krita"}, "snap:krita")
    with pytest.raises(plugin.shared.errors.LinewashError) as caught:
        launcher_in(plugin, note, where, started).find_or_start(lambda text: None, lambda: False)
    assert caught.value.code is plugin.shared.errors.ErrorCode.SNAP_CLOSED
    assert started == []
