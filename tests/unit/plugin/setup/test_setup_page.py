"""The set-up in the docker, from the first click to the last, with real processes and an installer that only counts."""

import json
import os
import signal
from typing import Any

import pytest
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QMessageBox, QWidget


def record(bench: Any, version: str, protocol: int = 1) -> None:
    """A program of that version is installed."""
    folder = bench.home / "program"
    folder.mkdir(parents=True, exist_ok=True)
    content = {"python": os.sys.executable, "project": str(folder), "home": None, "version": version, "protocol": protocol}
    (folder / "installation.json").write_text(json.dumps(content))
    bench.setup.look()


def agree(bench: Any, title: str) -> None:
    """Choose an entry of the docker's small menu and agree to the question."""
    menu: Any = bench.stack.findChild(QWidget, "setupMenu")
    (action,) = [each for each in menu.menu().actions() if each.text() == title + "…"]
    action.trigger()
    bench.until(lambda: bench.stack.window().findChild(QMessageBox, "setupQuestion") is not None)
    box: Any = bench.stack.window().findChild(QMessageBox, "setupQuestion")
    next(each for each in box.buttons() if each.text() == title.split()[0]).click()


def test_one_click_sets_up_and_the_rows_come_by_themselves(begin: Any) -> None:
    bench = begin()
    assert bench.text("setupTitle") == "Set up Linewash"
    assert "GB are free" in bench.text("setupText")
    assert not bench.starts(), "nothing is done before the painter agrees"
    bench.click()
    bench.until(bench.is_ready)
    assert bench.starts() == ["install"]
    bench.until(lambda: not bench.setup._is_watching)  # nothing is asked any more once all is there


def test_it_says_what_is_downloaded_and_how_much(begin: Any) -> None:
    bench = begin(step_s=0.4)  # the page looks about twice a second
    bench.click()
    bench.until(lambda: bench.text("setupCount") in ["%d of 100 MB" % (10 * count) for count in range(1, 10)])
    assert bench.text("setupSentence") == "Downloading torch …"
    bench.until(bench.is_ready)


def test_pause_keeps_what_is_there_and_continue_goes_on(begin: Any) -> None:
    bench = begin(step_s=0.1)
    bench.click()
    bench.installer()
    bench.until(lambda: bench.button() == "Pause" and (bench.home / "counter.txt").exists())
    bench.click()
    bench.until(lambda: bench.button() == "Continue")
    count = int((bench.home / "counter.txt").read_text())
    assert bench.text("setupTitle") == "The set-up is paused"
    QTest.qWait(400)
    assert (bench.progress().state.value, bench.starts()) == ("paused", ["install"])
    bench.click()
    bench.until(bench.is_ready)
    assert count < 10
    assert bench.starts() == ["install", "install"]


def test_a_paused_setup_is_paused_after_a_restart_of_krita_too(begin: Any) -> None:
    bench = begin(step_s=0.1)
    bench.click()
    bench.installer()
    bench.until(lambda: bench.button() == "Pause")
    bench.click()
    bench.until(lambda: bench.button() == "Continue")
    again = bench.restart()
    assert again.button() == "Continue"
    again.close()
    again.end_installer()


def test_krita_ends_while_it_is_set_up_and_the_next_one_finds_it_running(begin: Any) -> None:
    bench = begin(step_s=0.2)
    bench.click()
    bench.installer()
    again = bench.restart(step_s=0.2)
    again.until(lambda: again.button() == "Pause")
    again.until(again.is_ready)
    assert again.starts() == ["install"], "nobody started a second one"
    again.close()
    again.end_installer()


def test_a_killed_installer_is_started_again_once_and_then_waits_for_the_painter(begin: Any) -> None:
    bench = begin(step_s=0.3)
    bench.click()
    bench.kill_installer()
    bench.until(lambda: len(bench.starts()) == 2)
    bench.kill_installer()
    bench.until(lambda: bench.button() == "Continue")
    assert bench.text("setupTitle") == "The set-up was cut off"
    QTest.qWait(500)
    assert len(bench.starts()) == 2
    bench.click()
    bench.until(bench.is_ready)


def test_krita_is_killed_before_the_installer_has_started(begin: Any) -> None:
    """The file then says that Krita itself is at it, and that process is gone."""
    bench = begin()
    bench.runner._say(bench.plugin.shared.setup_progress.SetupPhase.DOWNLOAD, "Downloading uv …")
    file = bench.home / "setup" / "progress.json"
    child = os.spawnlp(os.P_NOWAIT, "true", "true")
    os.waitpid(child, 0)
    file.write_text(file.read_text().replace('"pid": %d' % os.getpid(), '"pid": %d' % child))
    again = bench.restart()
    again.until(again.is_ready)
    assert again.starts() == ["install"]
    again.close()
    again.end_installer()


def test_a_failure_says_why_and_what_to_do_and_try_again_works(begin: Any) -> None:
    bench = begin(fails_at=3)
    bench.click()
    bench.until(lambda: bench.button() == "Try Again")
    assert bench.text("setupMessage") == "The network is gone. Go online."
    (bench.home / "mended").touch()
    bench.click()
    bench.until(bench.is_ready)


def test_an_installer_that_does_not_start_is_said_in_one_sentence(begin: Any) -> None:
    bench = begin(does_not_start=True)
    bench.click()
    bench.until(lambda: bench.button() == "Try Again")
    assert bench.text("setupMessage") == "The set-up did not start. Try again, or import the newest release."
    assert "this Python is broken" in bench.log()


def test_a_home_that_cannot_be_written_is_said_as_well(begin: Any) -> None:
    bench = begin()
    (bench.home / "setup").write_text("a file where a folder should be")
    bench.click()
    bench.until(lambda: bench.button() == "Try Again")
    assert bench.text("setupMessage").startswith("The set-up did not start.")
    (bench.home / "setup").unlink()
    bench.click()
    bench.until(bench.is_ready)


@pytest.mark.parametrize(("protocol", "other"), [(1, "Not Now"), (0, "")])
def test_an_older_program_is_offered_an_update_and_stays_in_use_where_it_can(begin: Any, protocol: int, other: str) -> None:
    bench = begin()
    record(bench, "1.0", protocol)
    bench.until(lambda: bench.button() == "Update")
    assert bench.text("setupText").startswith("This docker is version 2.0, its coloring program still 1.0.")
    button: Any = bench.stack.findChild(QWidget, "setupOther")
    assert (button.text() if button.isVisible() else "") == other
    if other:
        bench.click("setupOther")
        bench.until(bench.is_ready)
        agree(bench, "Update Linewash")
    else:
        bench.click()
    bench.until(lambda: bench.is_ready() and bench.setup.snapshot.program.version == "2.0")


def test_remove_keeps_what_is_the_painters(begin: Any) -> None:
    bench = begin()
    bench.click()
    bench.until(bench.is_ready)
    (bench.home / "models").mkdir()
    (bench.home / "models" / "own.safetensors").touch()
    (bench.home / "tools").mkdir()
    agree(bench, "Remove Linewash")
    bench.until(lambda: bench.text("setupTitle") == "Linewash is removed")
    assert bench.starts()[-1] == "uninstall"
    assert (bench.home / "models" / "own.safetensors").exists()
    assert not (bench.home / "tools").exists()
    (bench.home / "counter.txt").unlink()
    bench.click()
    bench.until(bench.is_ready)


def test_repair_asks_the_installer_to_repair(begin: Any) -> None:
    bench = begin()
    bench.click()
    bench.until(bench.is_ready)
    agree(bench, "Repair Linewash")
    bench.until(lambda: bench.starts() == ["install", "repair"])
    bench.until(bench.is_ready)


def test_a_card_whose_build_cannot_be_had_leaves_the_processor(begin: Any) -> None:
    """Also after a pause, and in the next Krita."""
    bench = begin(needs_processor=True, step_s=0.1)
    bench.click()
    bench.until(lambda: bench.button() == "Try Again")
    assert bench.text("setupMessage").startswith("The index is away. Go online, or press Use Processor")
    bench.click("setupOther")
    bench.installer()
    bench.until(lambda: bench.button() == "Pause" and len(bench.starts()) == 2)
    bench.click()
    bench.until(lambda: bench.button() == "Continue")
    again = bench.restart(needs_processor=True, step_s=0.1)
    again.until(lambda: again.button() == "Continue")
    again.click()
    again.until(again.is_ready)
    assert again.starts() == ["install", "install@cpu", "install@cpu"]
    again.close()
    again.end_installer()


@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_repair_that_is_paused_goes_on_as_a_repair(begin: Any, start: Any, is_restarted: bool) -> None:
    """It waits for a drawing; and is paused a second time once the installer is at work."""
    bench = begin(step_s=0.1)
    bench.click()
    bench.until(bench.is_ready)
    (bench.home / "counter.txt").unlink()
    backend = start("running", ends=True, home=bench.home)
    agree(bench, "Repair Linewash")
    bench.until(lambda: bench.text("setupSentence").startswith("Waiting until the drawing"))
    assert bench.text("setupTitle") == "Repairing Linewash"
    bench.click()
    bench.until(lambda: bench.button() == "Continue")
    assert bench.text("setupTitle") == "The repair is paused" and bench.starts() == ["install"]
    backend.kill()
    backend.wait()
    last = bench.restart(step_s=0.1) if is_restarted else bench
    for starts in (["install", "repair"], ["install", "repair", "repair"]):
        last.click()
        last.until(lambda starts=starts: last.starts() == starts and last.button() == "Pause")
        last.installer()
        if len(starts) == 2:
            last.click()
            last.until(lambda: last.button() == "Continue")
    last.until(last.is_ready)
    last.close()
    last.end_installer()


def test_a_program_that_is_gone_is_noticed_when_the_painter_colors(begin: Any) -> None:
    bench = begin()
    bench.click()
    bench.until(bench.is_ready)
    (bench.home / "program" / "installation.json").unlink()
    bench.click("color")
    bench.until(lambda: bench.button() == "Set Up")


def test_the_installer_lives_on_when_krita_is_killed(begin: Any) -> None:
    """It leads a session of its own, so that no signal for Krita's group reaches it."""
    bench = begin(step_s=0.2)
    bench.click()
    installer = bench.installer()
    assert os.getsid(installer) == installer
    os.kill(installer, signal.SIGKILL)


@pytest.mark.parametrize("moment", range(10))
def test_installer_and_krita_killed_at_ten_moments(begin: Any, plugin: Any, moment: int) -> None:
    """The next Krita goes on where it stopped, and until the end nothing is there that could be started."""
    bench = begin(step_s=0.1)
    bench.click()
    counter = bench.home / "counter.txt"
    installer = bench.installer()
    bench.until(lambda: moment == 0 or (counter.exists() and (counter.read_text() or "0") == str(moment)))
    os.kill(installer, signal.SIGKILL)
    bench.runner._process.wait()  # the system does that where Krita itself has ended
    again = bench.restart()
    launcher = plugin.jobs.backend_launcher
    found = launcher.Installation.read(bench.home / "program" / "installation.json", launcher.Surroundings.now())
    assert found is None or int(counter.read_text()) == 10
    again.until(again.is_ready)
    assert again.starts() == ["install", "install"]
    again.close()
    again.end_installer()
