"""Alarms of a real monitor: on the topic once, on the page and in the metrics while they stand."""

import random
from collections.abc import Iterator

from streamer.records.summary import Summary
from tests.monitoring.planted import one
from tests.services.monitor.running import Make, Monitor, now_ms
from tests.waiting import eventually

RUNBOOKS = "https://wiki.test/runbooks"
QUICK = {"runbooks": RUNBOOKS, "alarms": {"silent_for": 3.0}}
SILENT = 'streamer_alarm{kind="service_silent",severity="critical",subject="classify",task=""}'


def beats(first: int, count: int, back_ms: int = 0) -> Iterator[Summary]:
    some = random.Random(first)
    for number in range(first, first + count):
        yield one(some, "process-0", "classify", None, number, now_ms() - back_ms)


def told(monitor: Monitor) -> list[tuple[str, str]]:
    return [(a.id, a.state) for a in monitor.alarms() if a.kind == "service_silent"]


def test_an_alarm_is_raised_once_and_cleared_once_across_a_kill(make: Make) -> None:
    monitor = make(QUICK)
    monitor.tell(beats(1, 3, back_ms=10_000))
    monitor.start()
    name = "service_silent//classify"
    assert eventually(lambda: monitor.metric(SILENT) == 1)
    assert eventually(lambda: told(monitor) == [(name, "raised")])
    (shown,) = [a for a in monitor.ask("/api/alarms") if a["kind"] == "service_silent"]
    assert (shown["subject"], shown["severity"]) == ("classify", "critical")
    assert monitor.ask("/api/state")["alarms"]
    monitor.kill()
    monitor.start()
    assert eventually(lambda: monitor.metric(SILENT) == 1)
    assert monitor.ask("/api/alarms")[0]["since"] == shown["since"]
    number = 4

    def heard() -> bool:
        nonlocal number
        monitor.tell(beats(number, 1))
        number += 1
        return monitor.metric(SILENT) == 0

    assert eventually(heard)
    assert eventually(lambda: told(monitor) == [(name, "raised"), (name, "cleared")])
    page = f"{RUNBOOKS}/service_silent.md"
    assert shown["runbook"] == page
    assert {a.runbook for a in monitor.alarms() if a.kind == "service_silent"} == {page}


def test_nothing_is_raised_of_a_past_that_is_still_being_read(make: Make) -> None:
    monitor = make(QUICK)
    monitor.tell([*beats(1, 3000, back_ms=60_000), *beats(3001, 1, back_ms=-60_000)])
    monitor.start()
    assert eventually(lambda: monitor.metric('streamer_summaries_total{outcome="added"}') == 3001)
    assert told(monitor) == []
