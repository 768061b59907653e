"""A release is set up with real environments, a real pip and real downloads, whatever happens on the way."""

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared.paths import program_dir, program_file
from shared.setup_progress import SetupPhase, SetupProgress, SetupState, stop_file
from tests.install.set_up.package_index import PackageIndex, make_wheel, serve
from tests.install.set_up.tiny_release import LARGE, PYPROJECT, WHEELS, SetUp, is_half_unpacked, is_ready, write_release

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="on Linux alone --device cuda takes the ordinary index")


@pytest.fixture(scope="module")
def index() -> Iterator[PackageIndex]:
    with serve(PackageIndex(dict(WHEELS))) as index:
        yield index


@pytest.fixture
def healthy(index: PackageIndex) -> PackageIndex:
    """The index without the faults of an earlier test."""
    index.files = dict(WHEELS)
    index.bytes_per_second, index.is_asked_for_sizes = 0.0, False
    index.log.clear()
    index.cuts.clear()
    index.damage.clear()
    index.refused.clear()
    return index


@pytest.fixture(scope="module")
def whole(project: Path, index: PackageIndex, tmp_path_factory: pytest.TempPathFactory) -> SetUp:
    """A set-up that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    write_release(folder / "source", project)
    set_up = SetUp(folder / "source", folder / "home", index)
    status, text = set_up.run()
    assert status == 0, text
    return set_up


@pytest.fixture
def fresh(project: Path, healthy: PackageIndex, tmp_path: Path) -> SetUp:
    """A set-up that has not begun, of an installer that needs no environment of its own."""
    write_release(tmp_path / "source", project)
    return SetUp(tmp_path / "source", tmp_path / "home of a painter", healthy)


def test_all_is_there_and_the_rest_is_gone(whole: SetUp) -> None:
    assert is_ready(whole)
    installation = json.loads(program_file(whole.home).read_text())
    assert installation["version"] == "1.0" and installation["home"] == str(whole.home)
    assert (whole.progress().state, whole.progress().device) == (SetupState.DONE, "cuda")
    assert "large/data.bin" in whole.installed() and "many/part1499.py" in whole.installed()
    assert sorted(path.name for path in whole.file.parent.iterdir()) == [".linewash-install.lock", "progress.json"]


def test_a_second_run_changes_nothing(whole: SetUp, healthy: PackageIndex) -> None:
    before = {path: path.stat().st_mtime_ns for path in program_dir(whole.home).rglob("*")}
    status, text = whole.run()
    assert (status, text.splitlines()[-1]) == (0, "Everything is in place already; nothing was changed.")
    assert {path: path.stat().st_mtime_ns for path in program_dir(whole.home).rglob("*")} == before
    assert healthy.log == []


def test_ten_kills_lose_nothing(fresh: SetUp, whole: SetUp) -> None:
    fresh.index.bytes_per_second = 400_000
    moments: list[tuple[str, Callable[[SetupProgress], bool]]] = [
        ("at once", lambda p: p.phase == SetupPhase.CHECK),
        ("making the environment", lambda p: "virtual environment" in p.sentence),
        ("later in that", lambda p: p.phase == SetupPhase.RESOLVE or (time.time() - p.time_s) > 0.7),
        ("resolving", lambda p: p.phase == SetupPhase.RESOLVE),
        ("download begun", lambda p: p.phase == SetupPhase.DOWNLOAD),
        ("a quarter", lambda p: p.phase == SetupPhase.DOWNLOAD and (p.fraction or 0) > 0.25),
        ("three quarters", lambda p: p.phase == SetupPhase.DOWNLOAD and (p.fraction or 0) > 0.75),
        ("unpacking", lambda p: p.phase == SetupPhase.INSTALL),
        ("half unpacked", lambda p: p.phase == SetupPhase.INSTALL and is_half_unpacked(fresh)),
        ("trying out", lambda p: p.phase == SetupPhase.TRY_OUT),
    ]
    reached: list[str] = []
    for name, holds in moments:
        process = fresh.start()
        if fresh.wait_for(process, holds):
            reached.append(name)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        assert not is_ready(fresh), name
        assert fresh.progress().state == SetupState.INTERRUPTED, name
    assert len(reached) == 10, reached
    status, text = fresh.run()
    assert status == 0, text
    assert is_ready(fresh)
    assert fresh.installed() == whole.installed()
    assert any(start > 0 for start in fresh.index.starts(LARGE[0])), "it began anew instead of going on"


@pytest.mark.parametrize("way", ["signal", "file"])
def test_a_pause_ends_soon_and_the_next_start_goes_on(fresh: SetUp, way: str) -> None:
    fresh.index.bytes_per_second = 200_000
    process = fresh.start()
    assert fresh.wait_for(process, lambda p: p.phase == SetupPhase.DOWNLOAD and 0.1 < (p.fraction or 0) < 0.5)
    asked_s = time.monotonic()
    process.terminate() if way == "signal" else stop_file(fresh.file).touch()
    process.communicate(timeout=10)
    assert time.monotonic() - asked_s < 3  # a second, on a machine that does nothing else
    assert process.returncode == 3
    assert fresh.progress().state == SetupState.PAUSED
    fresh.index.bytes_per_second = 0
    assert fresh.run()[0] == 0
    assert is_ready(fresh)
    assert max(fresh.index.starts(LARGE[0])) > 0


def test_a_second_installer_waits_for_no_one(fresh: SetUp) -> None:
    fresh.index.bytes_per_second = 200_000
    first = fresh.start()
    assert fresh.wait_for(first, lambda p: p.phase == SetupPhase.DOWNLOAD)
    second = SetUp(fresh.source, fresh.home, fresh.index).run()
    assert second[0] == 1 and "Another Linewash installer is at work" in second[1]
    first.kill()
    first.communicate()


def test_no_network_and_then_there_is_one(fresh: SetUp) -> None:
    address, fresh.index.address = fresh.index.address, "http://127.0.0.1:9"
    status, text = fresh.run()
    fresh.index.address = address
    found = fresh.progress()
    assert (status, found.state) == (1, SetupState.FAILED)
    assert found.error.startswith("The server with the packages could not be reached.") or "no package" in found.error, text
    assert "online" in found.hint
    assert not is_ready(fresh)
    assert fresh.run()[0] == 0


def test_damaged_downloads_say_so(fresh: SetUp) -> None:
    fresh.index.damage[LARGE[0]] = 9
    status, text = fresh.run()
    assert status == 1
    assert "arrived damaged" in fresh.progress().error, text
    assert not is_ready(fresh)


def test_a_full_disk_says_so_and_goes_on_when_there_is_room(fresh: SetUp, tmp_path: Path) -> None:
    name, content = make_wheel("large", {"large/data.bin": random.Random(3).randbytes(5_000_000)}, requires=("many",))
    fresh.index.files[name] = content
    limit = tmp_path / "limit"
    limit.write_text('#!/bin/sh\nulimit -f 7000\nexec "$@"\n')  # 3.6 MB a file: enough for pip
    limit.chmod(0o755)
    status, text = fresh.run(prefix=(str(limit),))
    assert status == 1, text
    assert fresh.progress().error == "The disk is full.", text
    assert "Free some space" in fresh.progress().hint
    assert not is_ready(fresh)
    assert fresh.run()[0] == 0
    assert is_ready(fresh)


def test_a_plan_says_the_size_and_installs_nothing(fresh: SetUp) -> None:
    status, text = fresh.run("plan")
    assert status == 0, text
    found = fresh.progress()
    assert (found.state, found.phase) == (SetupState.DONE, SetupPhase.RESOLVE)
    assert found.total_bytes == sum(map(len, WHEELS.values()))
    assert found.needed_bytes > found.total_bytes and found.free_bytes > found.needed_bytes
    assert not program_file(fresh.home).exists()


def test_repair_update_and_removal(whole: SetUp, project: Path, healthy: PackageIndex) -> None:
    expected = whole.installed()
    (environment,) = (program_dir(whole.home) / "environments").iterdir()
    (changed,) = environment.glob("lib/*/site-packages/many/part7.py")
    changed.write_text("x = 3\n" * 40)
    (missing,) = environment.glob("lib/*/site-packages/large/data.bin")
    missing.unlink()
    (source,) = (program_dir(whole.home) / "releases").iterdir()
    (source / "backend" / "__main__.py").write_text("print('other')")
    assert whole.run("repair")[0] == 0
    assert whole.installed() == expected
    assert is_ready(whole)

    before = program_file(whole.home).read_text()
    (environment / "broken").touch()  # an update that does not work, with the same pins, leaves the old one in use
    write_release(whole.source, project, "1.1")
    assert whole.run()[0] == 1
    assert "The backend could not color a drawing" in whole.progress().error
    assert program_file(whole.home).read_text() == before
    (environment / "broken").unlink()
    healthy.log.clear()
    assert whole.run()[0] == 0
    assert is_ready(whole) and json.loads(program_file(whole.home).read_text())["version"] == "1.1"
    assert healthy.log == []
    assert len(list((program_dir(whole.home) / "releases").iterdir())) == 1

    write_release(whole.source, project, "1.2", PYPROJECT.replace('    "small>=1",\n', ""))
    assert whole.run()[0] == 1  # its backend imports small
    assert is_ready(whole) and json.loads(program_file(whole.home).read_text())["version"] == "1.1"

    assert whole.run("uninstall")[0] == 0
    assert not program_dir(whole.home).exists()
