"""Devices are found, chosen, kept and given up: never silently."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.client import Client
from shared.devices.device_status import AUTOMATIC, PROCESSOR, SLOWER, DeviceStatus
from shared.errors import ErrorCode, LinewashError
from shared.paths import settings_file
from shared.protocol import JobState
from tests.api import images
from tests.api.backend_process import BackendProcess
from tests.api.fake_devices import CARDS, HINT
from tests.api.following import last, send, until

Starter = Callable[..., BackendProcess]
BEST, OTHER = (card.name for card in CARDS)


class Computer:
    """The computer with two cards, and the backend on it."""

    def __init__(self, start: Starter, home: Path) -> None:
        self._start, self.home = start, home
        (home / "cards").mkdir(parents=True)

    def start(self, **settings: object) -> Client:
        self.backend = self._start(self.home, registry="tests.api.fake_devices", cards=self.home / "cards", **settings)
        return self.backend.client

    def say(self, what: str, *cards: str) -> None:
        """Let something happen to these cards."""
        (self.home / "cards" / what).write_text(" ".join(cards))


@pytest.fixture
def computer(start: Starter, tmp_path: Path) -> Computer:
    return Computer(start, tmp_path / "home")


def known(client: Client) -> DeviceStatus:
    status = client.device(30.0)
    assert status.used, "no worker has said what it uses"
    return status


def test_the_best_device_is_used_and_all_are_listed(computer: Computer) -> None:
    client = computer.start()
    status = known(client)
    assert (status.choice, status.used, status.problem, status.fixed) == (AUTOMATIC, BEST, "", False)
    assert status.devices[:2] == CARDS and status.devices[2].name == PROCESSOR
    assert status.hints == (HINT,)
    assert client.system()["workers"][0]["device"] == BEST


def test_a_choice_gets_a_worker_of_its_own_and_is_kept_by_the_home(computer: Computer) -> None:
    client = computer.start()
    known(client)
    before = computer.backend.worker_pid()
    settings_file(computer.home).write_text(json.dumps({"of a later version": 7}))
    assert client.choose_device(OTHER).choice == OTHER
    status = known(client)
    assert (status.choice, status.used, status.pending, status.problem) == (OTHER, OTHER, False, "")
    assert computer.backend.worker_pid() != before
    assert last(client, send(client, images.request())).state is JobState.DONE
    assert json.loads(settings_file(computer.home).read_text()) == {"of a later version": 7, "device": OTHER}
    computer.backend.stop()
    assert known(computer.start()).used == OTHER


def test_a_running_job_ends_where_it_began(computer: Computer) -> None:
    client = computer.start()
    known(client)
    running = send(client, images.request("slow", steps=20))
    until(client, running, lambda status: status.stage == "denoise")
    waiting = send(client, images.request())
    before = computer.backend.worker_pid()
    assert client.choose_device(PROCESSOR).pending
    assert computer.backend.worker_pid() == before and client.device().used == ""
    assert last(client, running).state is JobState.DONE
    assert last(client, waiting).state is JobState.DONE
    status = known(client)
    assert (status.used, status.pending) == (PROCESSOR, False)
    assert computer.backend.worker_pid() != before


def test_a_choice_that_is_no_name_is_refused(client: Client) -> None:
    for body in (b"", b"{}", b"[]", b'{"device": 7}', b'{"device": ""}', b'{"device": "%s"}' % (b"x" * 99)):
        with pytest.raises(LinewashError) as caught:
            client._send("PUT", "/v1/device", data=body)
        assert caught.value.code is ErrorCode.BAD_REQUEST, body


def test_a_device_that_is_not_there_cannot_be_chosen(computer: Computer) -> None:
    client = computer.start()
    known(client)
    with pytest.raises(LinewashError) as caught:
        client.choose_device("cuda:9")
    assert caught.value.code is ErrorCode.DEVICE_UNAVAILABLE
    assert known(client).used == BEST and not settings_file(computer.home).exists()


def test_what_the_server_was_started_for_counts_more_and_cannot_be_changed(computer: Computer) -> None:
    settings_file(computer.home).write_text('{"device": "cuda:1"}')
    client = computer.start(devices=PROCESSOR)
    status = known(client)
    assert (status.choice, status.used, status.fixed) == (PROCESSOR, PROCESSOR, True)
    with pytest.raises(LinewashError) as caught:
        client.choose_device(BEST)
    assert caught.value.code is ErrorCode.DEVICE_UNAVAILABLE
    assert settings_file(computer.home).read_text() == '{"device": "cuda:1"}'


def test_a_chosen_card_that_is_gone_leaves_the_processor_and_a_sentence_in_every_result(computer: Computer) -> None:
    settings_file(computer.home).write_text('{"device": "cuda:1"}')
    computer.say("gone", OTHER)
    client = computer.start()
    status = known(client)
    assert (status.choice, status.used, status.problem) == (OTHER, PROCESSOR, "It is not there any more.")
    for _ in range(2):
        assert status.problem in last(client, send(client, images.request())).warnings


def test_a_card_that_fails_at_work_costs_no_job(computer: Computer) -> None:
    client = computer.start()
    known(client)
    computer.say("fails_at_work", BEST)
    done = last(client, send(client, images.request()))
    assert done.state is JobState.DONE
    status = known(client)
    assert (status.choice, status.used) == (AUTOMATIC, PROCESSOR)
    assert CARDS[0].title in status.problem and SLOWER in status.problem and status.problem in done.warnings
    assert "no kernel image" in computer.backend.log()
    assert status.problem in last(client, send(client, images.request())).warnings
    computer.say("fails_at_work")
    client.choose_device(AUTOMATIC)
    assert known(client).used == BEST
    assert not last(client, send(client, images.request())).warnings


def test_a_mistake_of_ours_is_not_blamed_on_the_card(computer: Computer) -> None:
    client = computer.start()
    known(client)
    computer.say("buggy", "all")
    failed = last(client, send(client, images.request()))
    assert failed.error is not None and failed.error.code is ErrorCode.INTERNAL
    status = known(client)
    assert (status.used, status.problem) == (BEST, "")


def test_a_card_whose_memory_is_full_is_kept(computer: Computer) -> None:
    client = computer.start()
    known(client)
    computer.say("full", BEST)
    failed = last(client, send(client, images.request()))
    assert failed.error is not None and failed.error.code is ErrorCode.OUT_OF_MEMORY
    assert (known(client).used, known(client).problem) == (BEST, "")


def test_a_card_that_ends_the_process_at_work_is_not_used_again(computer: Computer) -> None:
    client = computer.start()
    known(client)
    computer.say("crash_at_work", BEST)
    failed = last(client, send(client, images.request()))
    assert failed.error is not None and failed.error.code is ErrorCode.WORKER_CRASHED
    done = last(client, send(client, images.request()))
    status = known(client)
    assert done.state is JobState.DONE and status.problem in done.warnings
    assert status.used == PROCESSOR and CARDS[0].title in status.problem and status.devices[:2] == CARDS


def test_a_driver_that_ends_the_process_while_cards_are_looked_for_leaves_the_processor(computer: Computer) -> None:
    computer.say("crash", BEST)
    client = computer.start()
    status = known(client)
    assert status.used == PROCESSOR and SLOWER in status.problem
    done = last(client, send(client, images.request()))
    assert done.state is JobState.DONE and status.problem in done.warnings
