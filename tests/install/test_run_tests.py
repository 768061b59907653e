"""``install.py test`` notices when tests in a real Krita did not run, and tells what ran where."""

import sys
from pathlib import Path

import pytest

from installer.run_tests import prepare_plugin_check
from installer.testing.kritas import TRY_LATER, unpack
from installer.testing.logged_process import LoggedProcess
from installer.testing.reports import missing_kritas, skipped_krita_tests, table

RAN = '<testcase classname="tests.krita.test_round_trip" name="undo">{}</testcase>'
SKIPPED = '<testcase classname="tests.krita.test_round_trip" name="redo"><skipped/>{}</testcase>'
FAILED = '<testcase classname="tests.krita.test_round_trip" name="save"><failure/>{}</testcase>'
BROKEN = '<testcase classname="tests.krita.test_round_trip" name="open"><error/>{}</testcase>'
OTHER = '<testcase classname="tests.api.test_jobs" name="cancel"><skipped message="x"/></testcase>'


def in_krita(case: str, asked: str, ran: str = "") -> str:
    """A test of the Krita ``asked`` for, which says it is ``ran``."""
    properties = {"krita": asked} | ({"krita_version": ran} if ran else {})
    written = "".join(f'<property name="{name}" value="{value}"/>' for name, value in properties.items())
    return case.format(f"<properties>{written}</properties>")


def report(folder: Path, cases: str, name: str = "junit.xml") -> Path:
    file = folder / name
    file.write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")
    return file


@pytest.mark.parametrize(
    ("cases", "sentence"),
    [
        (RAN + OTHER, ""),
        (OTHER, "No test ran in the real Krita."),
        (RAN + SKIPPED, "Of 2 tests in the real Krita these were skipped: redo."),
    ],
)
def test_skipped_krita_tests_are_named(tmp_path: Path, cases: str, sentence: str) -> None:
    assert skipped_krita_tests([report(tmp_path, cases), tmp_path / "not_there.xml"]) == sentence


def test_the_table_counts_by_version_over_all_reports(tmp_path: Path) -> None:
    whole = report(tmp_path, in_krita(RAN, "5.1", "5.1.5") + in_krita(SKIPPED, "5.1", "5.1.5") + RAN + OTHER)
    core = in_krita(RAN, "6.0", "6.0.4.1") + in_krita(FAILED, "6.0", "6.0.4.1") + in_krita(BROKEN, "5.3")
    assert table([whole, report(tmp_path, core, "core.xml")]) == [
        "Krita 5.1.5                 1 passed    0 failed    1 skipped",
        "Krita 5.3, did not start    0 passed    1 failed    0 skipped",
        "Krita 6.0.4.1               1 passed    1 failed    0 skipped",
    ]


def test_a_krita_in_which_nothing_ran_is_named(tmp_path: Path) -> None:
    assert missing_kritas([report(tmp_path, in_krita(RAN, "5.1", "5.1.5"))], ("5.1", "6.0")) == ["6.0"]


@pytest.mark.parametrize(
    ("version", "status", "there", "failed"),
    [
        ("5.2", 0, True, False),
        ("5.2", TRY_LATER, False, True),
        ("5.3", TRY_LATER, False, False),
        ("6.0", TRY_LATER, False, False),
        ("6.0", 1, False, True),
    ],
)
def test_only_an_archive_that_moves_may_be_out_of_reach(version: str, status: int, there: bool, failed: bool) -> None:
    result = unpack(version, lambda _: (status, "it says\nthis\n"))
    assert (result.there, result.failed) == (there, failed)
    assert result.sentence.endswith("this")


def test_a_logged_process_keeps_what_it_prints_and_how_it_ends(tmp_path: Path) -> None:
    code = "import sys; print('one'); print('two\\n', file=sys.stderr); sys.exit(3)"
    process = LoggedProcess([sys.executable, "-c", code], tmp_path, {}, tmp_path / "it.log", shown=False)
    assert process.wait() == 3
    assert sorted(process.text().split()) == ["one", "two"]
    assert process.last_line() in ("one", "two")


def test_a_logged_process_can_be_stopped(tmp_path: Path) -> None:
    process = LoggedProcess(
        [sys.executable, "-c", "import time; time.sleep(60)"], tmp_path, {}, tmp_path / "it.log", shown=True
    )
    process.stop()
    assert process.wait() != 0


def test_the_plugin_is_type_checked_as_krita_sees_it() -> None:
    folder = prepare_plugin_check()
    for name in ("pyrightconfig.json", "typings/krita.pyi", "linewash/docker.py", "linewash/shared/client.py"):
        assert (folder / name).is_file(), name
