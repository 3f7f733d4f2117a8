from datetime import timedelta

import pytest

from streamer.stream.retention import Retention

DAY_MS = 86_400_000
LARGEST = str(2**63 - 1)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("config", "kept"),
    [
        ({"retention.ms": str(DAY_MS), "segment.ms": str(2 * DAY_MS)}, Retention(DAY, 3 * DAY)),
        ({"retention.ms": "-1"}, Retention(None, None)),
        ({"retention.ms": str(DAY_MS), "cleanup.policy": "compact"}, Retention(None, None)),
        # Kafka takes them, and people write them.
        ({"retention.ms": LARGEST, "segment.ms": str(DAY_MS)}, Retention(None, None)),
        ({"retention.ms": str(DAY_MS), "segment.ms": LARGEST}, Retention(DAY, None)),
    ],
)
def test_how_long_a_topic_keeps_a_record(config: dict[str, str], kept: Retention) -> None:
    assert Retention.of(config) == kept
