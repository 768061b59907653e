"""``install.py test --require-krita`` notices when the real-Krita tests did not run."""

from pathlib import Path

import pytest

from installer.run_tests import prepare_plugin_check, skipped_krita_tests

RAN = '<testcase classname="tests.krita.test_round_trip" name="undo"/>'
SKIPPED = '<testcase classname="tests.krita.test_round_trip" name="redo"><skipped/></testcase>'
OTHER = '<testcase classname="tests.api.test_jobs" name="cancel"><skipped message="x"/></testcase>'


@pytest.mark.parametrize(
    ("cases", "sentence"),
    [
        (RAN + OTHER, ""),
        (OTHER, "No test ran in the real Krita."),
        (RAN + SKIPPED, "Of 2 tests in the real Krita these were skipped: redo."),
    ],
)
def test_skipped_krita_tests_are_named(tmp_path: Path, cases: str, sentence: str) -> None:
    report = tmp_path / "junit.xml"
    report.write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")
    assert skipped_krita_tests(report) == sentence


def test_the_plugin_is_type_checked_as_krita_sees_it() -> None:
    folder = prepare_plugin_check()
    for name in ("pyrightconfig.json", "typings/krita.pyi", "linewash/docker.py", "linewash/shared/client.py"):
        assert (folder / name).is_file(), name
