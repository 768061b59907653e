"""A file is whole or absent, and an old one stays until the new one is complete."""

from pathlib import Path

import pytest

from shared.atomic_file import flush_to_disk, part_path, replace_atomically, write_atomically


def test_a_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "image.png"
    with replace_atomically(target) as part:
        part.write_bytes(b"half")
        assert part.parent == tmp_path and not target.exists()
        part.write_bytes(b"whole")
    assert target.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("error", [OSError, ValueError, KeyboardInterrupt])
def test_an_interruption_leaves_the_old_file_and_no_part(tmp_path: Path, error: type[BaseException]) -> None:
    target = tmp_path / "image.png"
    target.write_bytes(b"old")
    with pytest.raises(error), replace_atomically(target) as part:
        part.write_bytes(b"half")
        raise error
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_an_interruption_before_the_first_byte_keeps_its_own_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError), replace_atomically(tmp_path / "image.png"):
        raise ValueError
    assert list(tmp_path.iterdir()) == []


def test_the_part_of_a_killed_process_is_overwritten(tmp_path: Path) -> None:
    target = tmp_path / "state.json"
    part_path(target).write_bytes(b"left by another, and longer")
    write_atomically(target, b"new")
    assert target.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [target]


def test_a_place_that_cannot_be_written_raises_oserror(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        write_atomically(tmp_path / "nothing" / "file", b"")


def test_files_and_folders_are_flushed_and_what_is_absent_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    flush_to_disk(tmp_path / "file", tmp_path)
    with pytest.raises(FileNotFoundError):
        flush_to_disk(tmp_path / "nothing")
