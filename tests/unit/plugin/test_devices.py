"""The row Runs on: what can compute, what does, and the painter's choice of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.plugin.bench import Bench

HINT = "An AMD card is here, but the installed PyTorch cannot use it. Run python3 install.py --device rocm."
CARD, PROCESSOR = ("cuda:0", "NVIDIA RTX 3060, 12 GB"), ("cpu", "Processor (8 cores)")


def status(bench: Bench, *devices: tuple[str, str], **changes: Any) -> Any:
    messages = bench.plugin.shared.devices.device_status
    infos = tuple(messages.DeviceInfo(*device) for device in devices or (CARD, PROCESSOR))
    return replace(messages.DeviceStatus(infos, "auto", infos[0].name), **changes)


def answer(bench: Bench, *devices: tuple[str, str], **changes: Any) -> Any:
    """Let the backend run and answer with this; the row."""
    bench.backend.awake, bench.backend.device_status = True, status(bench, *devices, **changes)
    bench.controller.devices.refresh()
    bench.until(lambda: bench.controller.devices.status == bench.backend.device_status)
    return bench.widget("device")


def texts(box: Any) -> list[str]:
    return [box.itemText(index) for index in range(box.count())]


def test_the_row_is_hidden_until_a_backend_has_answered(bench: Bench, document: Any) -> None:
    assert not bench.widget("device").isVisibleTo(bench.docker)
    box = answer(bench)
    bench.until(lambda: box.isVisibleTo(bench.docker))
    assert texts(box) == [f"Automatic: {CARD[1]}", CARD[1], PROCESSOR[1]] and box.currentIndex() == 0
    assert box.isEnabled() and f"Now: {CARD[1]}" in box.toolTip()


def test_an_older_backend_has_no_such_row(bench: Bench, document: Any) -> None:
    bench.backend.awake = True
    bench.controller.devices.refresh()
    bench.until(lambda: "device" in bench.backend.calls)
    bench.docker.refresh()
    assert not bench.widget("device").isVisibleTo(bench.docker) and bench.says().startswith("Choose")


def test_a_computer_without_a_card_has_one_entry(bench: Bench, document: Any) -> None:
    box = answer(bench, PROCESSOR)
    assert texts(box) == [PROCESSOR[1]] and box.currentText() == PROCESSOR[1]


def test_a_choice_goes_to_the_backend_and_comes_back(bench: Bench, document: Any) -> None:
    box = answer(bench)
    bench.pick("device", PROCESSOR[1])
    bench.until(lambda: bench.controller.devices.status.used == "cpu")
    assert "choose cpu" in bench.backend.calls
    bench.docker.refresh()
    assert texts(box)[0] == "Automatic" and box.currentText() == PROCESSOR[1]


def test_a_choice_that_is_not_taken_is_said_and_shown(bench: Bench, document: Any) -> None:
    box = answer(bench)
    bench.backend.fail["choose cpu"] = "DEVICE_UNAVAILABLE"
    bench.pick("device", PROCESSOR[1])
    bench.until(lambda: bench.says().startswith("That device cannot be chosen now."))
    assert box.currentIndex() == 0


def test_what_fails_is_said_once_and_what_computes_is_shown(bench: Bench, document: Any) -> None:
    problem = "NVIDIA RTX 3060, 12 GB has failed; the processor computes instead, which is slower."
    box = answer(bench, choice="cuda:0", used="cpu", problem=problem)
    bench.until(lambda: bench.says() == problem)
    assert box.currentText() == PROCESSOR[1] and problem in box.toolTip()
    bench.pick("device", CARD[1])
    bench.until(lambda: "choose cuda:0" in bench.backend.calls)
    bench.until(lambda: not bench.controller.devices.status.problem)


def test_a_card_that_cannot_be_used_is_gray_and_says_why(bench: Bench, document: Any) -> None:
    box = answer(bench, PROCESSOR, hints=(HINT,))
    assert texts(box) == [PROCESSOR[1], "An AMD card (not used)"]
    assert not box.model().item(1).isEnabled() and box.model().item(1).toolTip() == HINT and HINT in box.toolTip()


@pytest.mark.parametrize("phase", ["busy", "fixed"])
def test_it_cannot_be_chosen_while_a_drawing_is_colored_or_where_it_was_given(bench: Bench, document: Any, phase: str) -> None:
    box = answer(bench, fixed=phase == "fixed")
    if phase == "busy":
        bench.add_layer("Colors")
        bench.backend.pause_s = 0.05
        bench.click("color")
        bench.until(lambda: not box.isEnabled())
        assert "While a drawing is being colored" in box.toolTip()
        bench.until(bench.idle)
        bench.until(box.isEnabled)
    else:
        assert not box.isEnabled() and "linewash serve --device" in box.toolTip()
