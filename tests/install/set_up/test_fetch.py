"""Downloads go on where they stopped, hold what they should, and fail with a sentence."""

import hashlib
import os
import random
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from installer.messages import InstallError
from installer.python_environment import pip_process
from installer.python_environment.packages import Package
from tests.install.set_up.package_index import PackageIndex, serve

WHEEL = "alpha-1.0-py3-none-any.whl"
CONTENT = random.Random(1).randbytes(300_000)


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither this machine's settings of pip nor its proxies; and no long pauses."""
    for name in list(os.environ):
        if name.startswith("PIP_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("LINEWASH_RETRY_PAUSE_S", "0.02")


@pytest.fixture
def index() -> Iterator[PackageIndex]:
    with serve(PackageIndex({WHEEL: CONTENT})) as index:
        yield index


def package(index: PackageIndex, digest: str = hashlib.sha256(CONTENT).hexdigest()) -> Package:
    return Package("alpha", "1.0", WHEEL, index.url(WHEEL), digest, len(CONTENT))


def fetch(index: PackageIndex, folder: Path, python: Path = Path(sys.executable), **values: Any) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = []
    pip_process.fetch(python, "download", [package(index, **values)], folder, answers.append)
    return answers


def test_it_arrives_and_says_how_far_it_is(index: PackageIndex, tmp_path: Path) -> None:
    answers = [dict(answer) for answer in fetch(index, tmp_path)]
    assert (tmp_path / WHEEL).read_bytes() == CONTENT
    assert {"done": len(CONTENT), "name": WHEEL} in answers
    assert sorted(path.name for path in tmp_path.iterdir()) == [WHEEL, "job.json"]


def test_sizes_are_asked_for(index: PackageIndex, tmp_path: Path) -> None:
    assert pip_process.fetch(Path(sys.executable), "sizes", [package(index)], tmp_path)["sizes"] == [len(CONTENT)]


def test_a_part_is_continued(index: PackageIndex, tmp_path: Path) -> None:
    (tmp_path / f"{WHEEL}.part").write_bytes(CONTENT[:100_000])
    fetch(index, tmp_path)
    assert (tmp_path / WHEEL).read_bytes() == CONTENT
    assert index.starts(WHEEL) == [100_000]


def test_what_is_there_is_not_fetched_again(index: PackageIndex, tmp_path: Path) -> None:
    (tmp_path / WHEEL).write_bytes(CONTENT)
    fetch(index, tmp_path)
    assert index.starts(WHEEL) == []


def test_a_server_without_ranges_sends_all_again(index: PackageIndex, tmp_path: Path) -> None:
    index.has_ranges = False
    (tmp_path / f"{WHEEL}.part").write_bytes(CONTENT[:100_000])
    fetch(index, tmp_path)
    assert (tmp_path / WHEEL).read_bytes() == CONTENT
    assert index.starts(WHEEL) == [0]


def test_a_part_that_is_too_long_is_thrown_away(index: PackageIndex, tmp_path: Path) -> None:
    (tmp_path / f"{WHEEL}.part").write_bytes(CONTENT + b"more")
    fetch(index, tmp_path)
    assert (tmp_path / WHEEL).read_bytes() == CONTENT


def test_a_connection_that_is_cut_goes_on_however_often(index: PackageIndex, tmp_path: Path) -> None:
    index.cuts[WHEEL] = [20_000] * 9
    fetch(index, tmp_path)
    assert (tmp_path / WHEEL).read_bytes() == CONTENT
    assert index.starts(WHEEL) == [20_000 * number for number in range(10)]


def test_a_connection_that_brings_nothing_is_given_up(index: PackageIndex, tmp_path: Path) -> None:
    index.cuts[WHEEL] = [50_000] + [0] * 20
    with pytest.raises(InstallError, match=r"could not be reached.*goes on where it stopped"):
        fetch(index, tmp_path)
    assert (tmp_path / f"{WHEEL}.part").read_bytes() == CONTENT[:50_000]
    index.cuts.clear()
    fetch(index, tmp_path)
    assert index.starts(WHEEL)[-1] == 50_000


def test_a_damaged_file_is_fetched_once_more(index: PackageIndex, tmp_path: Path) -> None:
    index.damage[WHEEL] = 1
    fetch(index, tmp_path)
    assert (tmp_path / WHEEL).read_bytes() == CONTENT
    assert index.starts(WHEEL) == [0, 0]


def test_a_file_damaged_twice_is_given_up_and_thrown_away(index: PackageIndex, tmp_path: Path) -> None:
    index.damage[WHEEL] = 5
    with pytest.raises(InstallError, match=rf"{WHEEL} arrived damaged.*try another network"):
        fetch(index, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["job.json"]


def test_a_part_that_was_damaged_before_is_replaced(index: PackageIndex, tmp_path: Path) -> None:
    (tmp_path / f"{WHEEL}.part").write_bytes(b"x" * 100_000)
    fetch(index, tmp_path)
    assert (tmp_path / WHEEL).read_bytes() == CONTENT


def test_a_file_without_a_digest_is_taken_and_its_digest_said(index: PackageIndex, tmp_path: Path) -> None:
    answers = fetch(index, tmp_path, digest="")
    assert answers[-1]["files"] == {WHEEL: hashlib.sha256(CONTENT).hexdigest()}


def test_a_server_that_refuses_is_named(index: PackageIndex, tmp_path: Path) -> None:
    index.refused.add(WHEEL)
    with pytest.raises(pip_process.RefusedFile, match=f"does not give out {WHEEL}"):
        fetch(index, tmp_path)


def test_no_network(index: PackageIndex, tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        index.address = f"http://127.0.0.1:{closed.getsockname()[1]}"
    for command in ("sizes", "download"):
        with pytest.raises(InstallError, match=r"could not be reached.*online"):
            pip_process.fetch(Path(sys.executable), command, [package(index)], tmp_path)
    assert not pip_process.is_reachable(Path(sys.executable), index.simple)


def test_a_proxy_that_does_not_answer(index: PackageIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed.getsockname()[1]}")
    monkeypatch.setenv("no_proxy", "")
    index.address = "http://files.example"
    with pytest.raises(InstallError, match=r"The proxy server did not let the download through.*HTTPS_PROXY"):
        fetch(index, tmp_path)


def test_pips_own_proxy_setting_is_used(index: PackageIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_PROXY", index.address)  # a proxy is asked for whole addresses, which this server takes as paths
    index.address = "http://files.example"
    fetch(index, tmp_path)
    assert (tmp_path / WHEEL).read_bytes() == CONTENT


@pytest.mark.skipif(shutil.which("sh") is None or sys.platform == "win32", reason="limits of file sizes are POSIX's")
def test_a_full_disk(index: PackageIndex, tmp_path: Path) -> None:
    python = tmp_path / "python"  # its files may have 100 kB, as if there were no more room
    python.write_text(f'#!/bin/sh\nulimit -f 200\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    with pytest.raises(InstallError, match=r"The disk is full\. Free some space"):
        fetch(index, tmp_path, python)
    assert 50_000 < (tmp_path / f"{WHEEL}.part").stat().st_size < 250_000
    fetch(index, tmp_path)
    assert (tmp_path / WHEEL).read_bytes() == CONTENT
    assert index.starts(WHEEL)[-1] > 50_000
