"""Times of tickets, whatever a producer wrote there."""

import time
from dataclasses import replace
from math import isnan

import pytest

from streamer.errors import TicketError
from streamer.records.times import milliseconds, rfc3339
from streamer.services.intake.ticket_reader import TicketReader
from tests.services.making import MakeHandler, votes
from tests.services.records import ticket


@pytest.mark.parametrize("name", ["\udcff", "né\udcfe" + "x" * 5000])
def test_a_header_name_that_is_no_text_is_the_reason_and_can_be_written(name: str) -> None:
    record = replace(ticket("hello"), headers=(("né", b""), (name, b"")))
    with pytest.raises(TicketError) as refused:
        TicketReader().ticket(record)
    assert refused.value.reason == "header_name"
    assert len(refused.value.detail.encode()) < 500


def test_a_moment_comes_back() -> None:
    assert rfc3339(1_700_000_000_123) == "2023-11-14T22:13:20.123Z"
    assert milliseconds("2023-11-14T22:13:20.123Z") == 1_700_000_000_123


@pytest.mark.parametrize("timestamp", [-(2**63), -1, 0, 253_402_300_799_999, 2**62, 2**63 - 1])
def test_no_timestamp_stops_the_stream(timestamp: int) -> None:
    record = replace(ticket("hello"), timestamp=timestamp)
    made = TicketReader().ticket(record)
    assert milliseconds(made.created_at) is not None


@pytest.mark.parametrize("created_at", [None, "/opened"])
def test_where_kafka_knows_no_time_the_arrivals_stands_and_no_other_is_made_up(
    created_at: str | None,
) -> None:
    began = time.time() * 1000 - 1
    made, ms = TicketReader(created_at=created_at).read(replace(ticket("hello"), timestamp=-1))
    assert isnan(ms)
    assert began <= (milliseconds(made.created_at) or 0) <= time.time() * 1000


def test_a_tickets_own_time_needs_none_of_kafka() -> None:
    opened = "2026-01-31T08:00:00Z"
    record = replace(ticket("hello", opened=opened), timestamp=-1)
    made, ms = TicketReader(created_at="/opened").read(record)
    assert (made.created_at, ms) == ("2026-01-31T08:00:00.000Z", milliseconds(opened))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("20260131", "2026-01-31T00:00:00.000Z"),
        ("2026-W05", "2026-01-26T00:00:00.000Z"),
        ("2026-01-31T08:00:00+05:30", "2026-01-31T02:30:00.000Z"),
        ("2026-01-31 08:00:00.123456", "2026-01-31T08:00:00.123Z"),
        ("2026-01-31T08:00:00.123Z", "2026-01-31T08:00:00.123Z"),
        ("1960-01-01T00:00:00.001Z", "1970-01-01T00:00:00.000Z"),
        ("soon", "2023-11-14T22:13:20.000Z"),
        (1_769_846_400, "2026-01-31T08:00:00.000Z"),
    ],
)
def test_times_are_told_in_one_form(given: str | int, told: str) -> None:
    made = TicketReader(created_at="/opened").ticket(ticket("hello", opened=given))
    assert made.created_at == told


async def test_no_latency_is_counted_from_a_time_that_nobody_knows(make: MakeHandler) -> None:
    timed, untimed = ticket(votes(1, 1)), replace(ticket(votes(1, 1)), timestamp=-1)
    run = await make().of(timed, *[replace(untimed, offset=n) for n in range(20)])
    assert len(run.labels) == 21
    found = run.metrics.render()
    counted = b'streamer_ticket_latency_seconds_count{source="workers",task="intent"} 1.0'
    assert counted in found or b'_count{task="intent",source="workers"} 1.0' in found
