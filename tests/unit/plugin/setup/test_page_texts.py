"""What the set-up page says of room on the disk and of what went wrong."""

import sys
from typing import Any

import pytest


def page(
    plugin: Any, situation: str, free_bytes: "int | None", error: str = "", hint: str = "", can_postpone: bool = False
) -> Any:
    """The page where that much is free and the installer has ended in that way."""
    setup, words = plugin.setup, plugin.shared.setup_progress
    state = words.SetupState.FAILED if situation == "FAILED" else words.SetupState.RUNNING
    progress = words.SetupProgress(words.SetupPhase.DOWNLOAD, state, "Downloading torch …", 1, error=error, hint=hint)
    snapshot = setup.situation.SetupSnapshot(setup.situation.Situation[situation], progress, None, free_bytes)
    return setup.page_texts.page_text(snapshot, "1.0", "home", can_postpone)


@pytest.mark.parametrize(
    ("free_bytes", "room", "is_warned"),
    [
        (0, "0 MB are free.", True),
        (120_000_000, "120 MB are free.", True),
        (2_500_000_000, "2.5 GB are free.", True),
        (3_500_000_000, "3.5 GB are free.", False),
        (80_000_000_000, "80 GB are free.", False),
        (None, "3 GB of disk space are needed.", False),
    ],
)
def test_too_little_room_is_said_before_anything_begins(
    plugin: Any, free_bytes: "int | None", room: str, is_warned: bool
) -> None:
    found = page(plugin, "ABSENT", free_bytes)
    assert found.body.endswith(room)
    assert found.message.text.startswith("There may be too little room") is is_warned


def test_a_full_disk_is_why_it_was_cut_off(plugin: Any) -> None:
    assert page(plugin, "INTERRUPTED", 0).message.text == "The disk is full."
    assert not page(plugin, "INTERRUPTED", 10**10).message.text
    assert page(plugin, "INTERRUPTED", 10**10).body.endswith("Continue goes on from there.")


def test_a_hint_names_the_buttons_of_the_docker(plugin: Any) -> None:
    from installer.python_environment.explain import SENTENCES

    for sentence, hint in SENTENCES.values():
        message = page(plugin, "FAILED", 10**10, sentence, hint).message
        assert message.text == sentence
        assert "start the installer again" not in message.hint


def failure_without_index() -> "tuple[str, str]":
    """What the installer says where the index with the build for a card cannot be reached, and what to do."""
    from pathlib import Path

    from installer.devices.hardware import DeviceKind
    from installer.devices.torch_builds import TorchBuild
    from installer.messages import InstallError
    from installer.python_environment import resolver

    build = TorchBuild(DeviceKind.ROCM, "http://127.0.0.1:9/whl", is_index_needed=True)
    with pytest.raises(InstallError) as caught:
        resolver._extra_index(Path(sys.executable), build)
    return caught.value.sentence, caught.value.hint


@pytest.mark.parametrize("can_postpone", [False, True])
def test_without_the_index_of_a_card_there_is_the_processor(plugin: Any, can_postpone: bool) -> None:
    sentence, hint = failure_without_index()
    assert "could not be reached" in sentence
    found = page(plugin, "FAILED", 10**10, sentence, hint, can_postpone)
    assert found.message.text == sentence and "--device" not in found.message.hint
    expected = ("Back", False, False) if can_postpone else ("Use Processor", True, True)
    assert (found.other_button, found.offers_processor, "press Use Processor" in found.message.hint) == expected
