"""Where the data is, and the runtime file."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.paths import ServerInfo, default_home, process_alive, read_server_info, server_file

INFO = ServerInfo("127.0.0.1", 1234, "token", os.getpid(), 1, "0.1.0")


def test_the_home_is_what_the_variable_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LINEWASH_HOME", str(tmp_path))
    assert default_home() == tmp_path
    monkeypatch.setenv("LINEWASH_HOME", "relative")
    assert default_home() == Path.cwd() / "relative"


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="other platforms have other folders")
def test_the_home_follows_xdg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LINEWASH_HOME", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_home() == tmp_path / "linewash"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_home() == tmp_path / ".local" / "share" / "linewash"


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="Snap is there on Linux alone")
def test_in_kritas_snap_the_home_outlasts_updates(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LINEWASH_HOME", raising=False)
    for name, value in {"SNAP": "s", "SNAP_NAME": "krita", "SNAP_USER_COMMON": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    assert default_home() == tmp_path / "linewash"
    monkeypatch.setenv("SNAP_NAME", "code")  # a terminal opened by another Snap
    assert default_home() != tmp_path / "linewash"


def test_the_information_survives_the_file(tmp_path: Path) -> None:
    server_file(tmp_path).parent.mkdir()
    server_file(tmp_path).write_text(json.dumps(INFO.to_json()))
    assert read_server_info(tmp_path) == INFO


@given(
    st.dictionaries(
        st.sampled_from(sorted(INFO.to_json())), st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.none())
    )
)
def test_a_wrong_field_is_a_value_error_or_a_usable_value(changes: dict[str, object]) -> None:
    try:
        info = ServerInfo.from_json(INFO.to_json() | changes)
    except ValueError:
        return
    assert 0 < info.port < 65536 and info.pid > 0 and type(info.token) is str


@pytest.mark.parametrize("data", [None, [], "x", 1, {}, {"host": "127.0.0.1"}])
def test_what_is_no_information_is_a_value_error(data: object) -> None:
    with pytest.raises(ValueError, match="server information"):
        ServerInfo.from_json(data)


def test_a_process_is_alive_until_it_is_collected() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert process_alive(process.pid) and process_alive(os.getpid())
    process.communicate(b"\n")
    assert not process_alive(process.pid) and not process_alive(2**62)


@pytest.mark.skipif(sys.platform == "win32", reason="there a path is no bytes")
def test_a_recorded_path_is_found_also_where_python_knows_ascii_alone(tmp_path: Path, project: Path) -> None:
    """Krita's Python is so under LANG=C; the installer's, which wrote the record, was not."""
    folder = tmp_path / "デスクトップ" / "Área"
    folder.mkdir(parents=True)
    record = tmp_path / "record.json"
    record.write_text(json.dumps({"home": str(folder)}, ensure_ascii=False), encoding="utf-8")
    code = (
        "import json, sys; from shared.paths import recorded_path\n"
        "assert sys.getfilesystemencoding() == 'ascii'\n"
        "assert recorded_path(json.load(open('%s', encoding='utf-8'))['home']).is_dir()" % record
    )
    environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=project, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
