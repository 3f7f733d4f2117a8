"""Times of tickets, whatever a producer wrote there."""

from dataclasses import replace

import pytest

from streamer.services.intake import Intake, milliseconds, rfc3339
from tests.services.records import ticket


def test_a_moment_comes_back() -> None:
    assert rfc3339(1_700_000_000_123) == "2023-11-14T22:13:20.123Z"
    assert milliseconds("2023-11-14T22:13:20.123Z") == 1_700_000_000_123


@pytest.mark.parametrize("timestamp", [-(2**63), -1, 0, 253_402_300_799_999, 2**62, 2**63 - 1])
def test_no_timestamp_stops_the_stream(timestamp: int) -> None:
    record = replace(ticket("hello"), timestamp=timestamp)
    made = Intake().ticket(record)
    assert milliseconds(made.created_at) is not None
