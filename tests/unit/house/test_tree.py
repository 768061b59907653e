"""What holds for every tracked file."""

import re
import subprocess
from pathlib import Path

import pytest

LONGEST = 300
_MACHINE_PATH = re.compile(r"""(?<![\w./~$}])/(?:root|work|tmp|opt|home)/\w""")
_HOSTS = re.compile(r"pypi\.org|pythonhosted|npmjs|(?<!--extra-)index-url|find-links|deb\.debian")
_DEFAULT_INDEX = "krita_plugin/linewash/setup/package_index.py"
"""Reads pip's configuration inside Krita, where there is no pip, and so has to know the public index as pip does."""


def tracked(project: Path) -> list[Path]:
    """All text files git knows or would add, so that a file is checked before it is committed."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True).stdout.split("\0")
    return [project / name for name in names if name and (project / name).is_file()]


def text_of(path: Path) -> str | None:
    content = path.read_bytes()
    return None if b"\0" in content[:4096] else content.decode("utf-8", errors="replace")


def machine_paths(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if _MACHINE_PATH.search(line)]


def test_no_file_names_a_path_of_one_machine_or_a_registry(project: Path) -> None:
    here = Path(__file__)
    for path in tracked(project):
        text = text_of(path)
        if text is not None and path != here:
            assert not machine_paths(text), f"{path.relative_to(project)} names a path of one machine"
            if path != project / _DEFAULT_INDEX:
                assert not _HOSTS.search(text), f"{path.relative_to(project)} names a registry's host"


@pytest.mark.parametrize("line", ['open("/tmp/x")', "see /root/notes", "PATH=/home/anna/bin", "'/work/main'"])
def test_a_path_of_one_machine_is_found(line: str) -> None:
    assert machine_paths(line)


@pytest.mark.parametrize("line", ["~/.local/share/linewash", "a/tmp/b", "$XDG_DATA_HOME/krita", "/usr/bin:/bin", "/v1/jobs"])
def test_an_ordinary_path_is_let_pass(line: str) -> None:
    assert not machine_paths(line)


def test_no_python_file_is_long(project: Path) -> None:
    lengths = {path: (text_of(path) or "").count("\n") for path in tracked(project) if path.suffix == ".py"}
    assert not {str(path.relative_to(project)): lines for path, lines in lengths.items() if lines > LONGEST}


def test_nothing_is_left_unfinished(project: Path) -> None:
    mark = re.compile("|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "Not" + "ImplementedError")))
    for path in tracked(project):
        if path.suffix == ".py" and "tests" not in path.relative_to(project).parts:  # a fake may refuse what no test asks of it
            assert not mark.search(text_of(path) or ""), f"{path.relative_to(project)} holds a mark of unfinished work"


def test_no_file_is_larger_than_the_shipped_model_may_be(project: Path) -> None:
    assert not [str(path) for path in tracked(project) if path.stat().st_size > 20_000_000]
