"""Downloads from a hub on this computer: whole and checked, or a part that the next call goes on with."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.weights import hub_download
from shared.errors import ErrorCode, LinewashError
from tests.api import fake_hub

REPO, FILE = "someone/Weights", "deep/tiny.safetensors"
MIB = 1024**2
CONTENT = os.urandom(MIB) * 23
CUT = 20 * MIB
"""Two of the blocks of 10 MiB in which huggingface_hub writes."""


@pytest.fixture
def server() -> Iterator[fake_hub.Hub]:
    with fake_hub.running() as running:
        running.files[f"{REPO}/{FILE}"] = CONTENT
        yield running


def remote(server: fake_hub.Hub, file: str = FILE) -> hub_download.RemoteFile:
    return hub_download.resolve_file(REPO, file, endpoint=server.url)


def code_of(server: fake_hub.Hub, target: Path) -> ErrorCode:
    with pytest.raises(LinewashError) as caught:
        hub_download.download_file(remote(server), target, lambda _: None)
    return caught.value.code


def visible(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_a_file_arrives_whole_and_its_progress_is_reported(server: fake_hub.Hub, tmp_path: Path) -> None:
    progress: list[int] = []
    target = tmp_path / "models" / "tiny.safetensors"
    hub_download.download_file(remote(server), target, progress.append)
    assert target.read_bytes() == CONTENT
    assert progress == sorted(progress) and (progress[0], progress[-1]) == (0, len(CONTENT))
    assert visible(target.parent) == ["tiny.safetensors"]


def test_the_version_that_was_looked_at_is_the_one_that_comes(server: fake_hub.Hub) -> None:
    assert f"/resolve/{fake_hub.COMMIT}/" in remote(server).url


def test_a_small_file_is_checked_against_its_git_digest(server: fake_hub.Hub, tmp_path: Path) -> None:
    server.files[f"{REPO}/vocab.json"] = b'{"a": 1}'
    hub_download.download_file(remote(server, "vocab.json"), tmp_path / "vocab.json", lambda _: None)
    assert (tmp_path / "vocab.json").read_bytes() == b'{"a": 1}'


def test_an_interrupted_download_goes_on_where_it_stopped(server: fake_hub.Hub, tmp_path: Path) -> None:
    target = tmp_path / "tiny.safetensors"
    server.cut_after = CUT
    assert code_of(server, target) is ErrorCode.DOWNLOAD_FAILED
    part = hub_download.download_part_path(target, remote(server))
    assert part.stat().st_size == CUT and visible(tmp_path) == []
    server.cut_after, server.ranges = None, []
    progress: list[int] = []
    hub_download.download_file(remote(server), target, progress.append)
    assert (target.read_bytes(), progress[0], part.exists()) == (CONTENT, CUT, False)
    assert server.ranges == ["bytes=%d-" % CUT]


def test_a_server_that_knows_no_ranges_sends_all_again(server: fake_hub.Hub, tmp_path: Path) -> None:
    target = tmp_path / "tiny.safetensors"
    server.cut_after = CUT
    code_of(server, target)
    server.cut_after, server.ignores_ranges = None, True
    hub_download.download_file(remote(server), target, lambda _: None)
    assert target.read_bytes() == CONTENT


def test_a_stop_in_the_middle_leaves_the_part(server: fake_hub.Hub, tmp_path: Path) -> None:
    target = tmp_path / "tiny.safetensors"

    def ctrl_c(done: int) -> None:
        if done:
            raise KeyboardInterrupt

    server.cut_after = CUT
    code_of(server, target)
    server.cut_after = None
    with pytest.raises(KeyboardInterrupt):
        hub_download.download_file(remote(server), target, ctrl_c)
    hub_download.download_file(remote(server), target, lambda _: None)
    assert target.read_bytes() == CONTENT


def test_a_part_of_another_version_is_not_gone_on_with(server: fake_hub.Hub, tmp_path: Path) -> None:
    target = tmp_path / "tiny.safetensors"
    server.cut_after = CUT
    code_of(server, target)
    server.cut_after, server.files[f"{REPO}/{FILE}"] = None, CONTENT[::-1]
    hub_download.download_file(remote(server), target, lambda _: None)
    assert target.read_bytes() == CONTENT[::-1]


def test_a_wrong_digest_is_refused_and_nothing_is_left(server: fake_hub.Hub, tmp_path: Path) -> None:
    server.wrong_digest = True
    target = tmp_path / "tiny.safetensors"
    described = remote(server)
    assert code_of(server, target) is ErrorCode.DOWNLOAD_DAMAGED
    assert not target.exists() and not hub_download.download_part_path(target, described).exists()


def test_what_does_not_fit_is_refused_before_anything_is_sent_for(server: fake_hub.Hub, tmp_path: Path) -> None:
    server.claimed_size = 10**16
    assert code_of(server, tmp_path / "tiny.safetensors") is ErrorCode.DOWNLOAD_NO_ROOM
    assert server.ranges == [] and visible(tmp_path) == []


@pytest.mark.parametrize("repo", [REPO, "someone/Nothing", "no-owner", "a/b/c"])
def test_what_the_hub_does_not_have_is_named(server: fake_hub.Hub, repo: str) -> None:
    with pytest.raises(LinewashError) as caught:
        hub_download.resolve_file(repo, "missing.safetensors", endpoint=server.url)
    assert caught.value.code is ErrorCode.DOWNLOAD_UNKNOWN


@pytest.mark.parametrize("file", ["setup.py", "a\\..\\..\\x.safetensors", "C:x.safetensors"])
def test_other_kinds_of_files_and_paths_of_windows_are_not_fetched(server: fake_hub.Hub, file: str) -> None:
    with pytest.raises(LinewashError) as caught:
        hub_download.resolve_file(REPO, file, endpoint=server.url)
    assert caught.value.code is ErrorCode.DOWNLOAD_UNKNOWN


def test_a_hub_that_is_not_there_is_a_failure_with_a_name() -> None:
    with pytest.raises(LinewashError) as caught:
        hub_download.resolve_file(REPO, FILE, endpoint="http://127.0.0.1:9")
    assert caught.value.code is ErrorCode.DOWNLOAD_FAILED


def test_the_license_is_the_one_on_the_card(server: fake_hub.Hub) -> None:
    server.licenses[REPO] = "cc-by-nc-sa-4.0"
    assert hub_download.read_license(REPO, endpoint=server.url) == "cc-by-nc-sa-4.0"
