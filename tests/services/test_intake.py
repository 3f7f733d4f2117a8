"""Times of tickets, whatever a producer wrote there."""

from dataclasses import replace

import pytest

from streamer.errors import TicketError
from streamer.services.intake import Intake, milliseconds, rfc3339
from tests.services.records import ticket


@pytest.mark.parametrize("name", ["\udcff", "né\udcfe" + "x" * 5000])
def test_a_header_name_that_is_no_text_is_the_reason_and_can_be_written(name: str) -> None:
    record = replace(ticket("hello"), headers=(("né", b""), (name, b"")))
    with pytest.raises(TicketError) as refused:
        Intake().ticket(record)
    assert refused.value.reason == "header_name"
    assert len(refused.value.detail.encode()) < 500


def test_a_moment_comes_back() -> None:
    assert rfc3339(1_700_000_000_123) == "2023-11-14T22:13:20.123Z"
    assert milliseconds("2023-11-14T22:13:20.123Z") == 1_700_000_000_123


@pytest.mark.parametrize("timestamp", [-(2**63), -1, 0, 253_402_300_799_999, 2**62, 2**63 - 1])
def test_no_timestamp_stops_the_stream(timestamp: int) -> None:
    record = replace(ticket("hello"), timestamp=timestamp)
    made = Intake().ticket(record)
    assert milliseconds(made.created_at) is not None
