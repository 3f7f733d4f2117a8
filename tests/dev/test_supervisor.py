import threading
from pathlib import Path

import pytest

from streamer.dev.supervisor import Supervisor
from streamer.errors import BrokerError, ConfigError
from tests.waiting import eventually


class Fragile:
    """A server that ends when told to; `faults` are what its starts raise, in order."""

    log = Path("its.log")

    def __init__(self, *faults: Exception | None) -> None:
        self.faults = list(faults)
        self.starts = 0
        self.stops = 0
        self.running = False

    def start(self) -> None:
        self.starts += 1
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            raise fault
        self.running = True

    def stop(self) -> None:
        self.stops += 1
        self.running = False


@pytest.fixture
def said() -> list[str]:
    return []


def test_starts_and_stops(said: list[str]) -> None:
    server = Fragile()
    supervisor = Supervisor("it", server, said.append)
    supervisor.begin().result(10)
    assert server.running
    supervisor.stop()
    assert not server.running
    assert (server.starts, said) == (1, [])


def test_begins_once(said: list[str]) -> None:
    server = Fragile()
    supervisor = Supervisor("it", server, said.append)
    assert supervisor.begin() is supervisor.begin()
    supervisor.begin().result(10)
    supervisor.begin().result(10)
    supervisor.stop()
    assert server.starts == 1


def test_what_the_first_start_raises_is_told_and_not_tried_again(said: list[str]) -> None:
    server = Fragile(BrokerError("no"))
    supervisor = Supervisor("it", server, said.append, pause_s=0.01)
    with pytest.raises(BrokerError, match="no"):
        supervisor.begin().result(10)
    supervisor.stop()
    assert server.starts == 1


def test_an_unexpected_end_is_said_and_mended(said: list[str]) -> None:
    server = Fragile(None, BrokerError("not yet"), None)
    supervisor = Supervisor("it", server, said.append, pause_s=0.01)
    supervisor.begin().result(10)
    server.running = False
    assert eventually(lambda: supervisor.restarts == 1)
    assert server.running
    supervisor.stop()
    assert said == [
        "it ended unexpectedly; starting it again. Its log: its.log",
        "not yet",
        "it is up again",
    ]


def test_a_wrong_configuration_is_not_tried_again(said: list[str]) -> None:
    server = Fragile(None, ConfigError("labels differ"))
    supervisor = Supervisor("it", server, said.append, pause_s=0.01)
    supervisor.begin().result(10)
    server.running = False
    assert eventually(lambda: len(said) == 2)
    assert said[1] == "it stays down: labels differ"
    supervisor.stop()
    assert server.starts == 2


def test_stops_a_server_that_is_still_starting(said: list[str]) -> None:
    class Slow(Fragile):
        def __init__(self) -> None:
            super().__init__()
            self.stopped = threading.Event()

        def start(self) -> None:
            self.running = True
            self.stopped.wait(60)
            raise BrokerError("stopped while starting")

        def stop(self) -> None:
            super().stop()
            self.stopped.set()

    server = Slow()
    supervisor = Supervisor("it", server, said.append)
    starting = supervisor.begin()
    assert eventually(lambda: server.running)
    supervisor.stop()
    assert isinstance(starting.exception(10), BrokerError)
    assert not server.running


def test_one_that_runs_but_fails_its_probe_is_started_again(
    said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamer.dev.supervisor._ASK_EVERY_S", 0.01)
    monkeypatch.setattr("streamer.dev.supervisor._LOOK_EVERY_S", 0.01)
    server = Fragile()
    answers = iter([False, False, True, False, False, False])
    supervisor = Supervisor(
        "it", server, said.append, healthy=lambda: next(answers, True), pause_s=0.01
    )
    supervisor.begin().result(10)
    assert eventually(lambda: supervisor.restarts == 1)
    supervisor.stop()
    assert said[0].startswith("it did not answer any more")
    assert next(answers, None) is None
