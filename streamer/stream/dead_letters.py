"""Keeps what can't be processed, byte for byte, with the reason."""

from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256

from streamer.errors import TicketError
from streamer.records.dead_letter import DeadLetter
from streamer.stream.emission import Emission
from streamer.stream.record import Record

KEPT_BYTES = 64 * 1024


def _now() -> datetime:
    return datetime.now(UTC)


class DeadLetters:
    """Writes inputs to the dead letter topic.

    `limit` is the largest record in bytes that the topic takes; a larger input is cut to its
    first 64 KiB and flagged, with the hash of the whole, because refusing to write the dead
    letter would stop the stream for one record.
    """

    def __init__(self, topic: str, limit: int, clock: Callable[[], datetime] = _now) -> None:
        self._topic = topic
        self._limit = limit
        self._clock = clock

    def emission(self, record: Record, error: TicketError) -> Emission:
        """The dead letter of an input record."""
        whole = record_bytes(record) <= self._limit
        letter = DeadLetter(
            reason=error.reason,
            error=error.detail,
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            at=self._clock().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            truncated=not whole,
            sha256=None if whole else sha256(record.value or b"").hexdigest(),
        )
        value = record.value if whole else (record.value or b"")[:KEPT_BYTES]
        headers = [*record.headers, *letter.headers()]
        return Emission(record, self._topic, record.key, value, headers)


def record_bytes(record: Record | Emission) -> int:
    """Size of key, value and headers, which is what the broker's limit counts (and a little)."""
    size = len(record.key or b"") + len(record.value or b"")
    return size + sum(len(name) + len(value or b"") + 8 for name, value in record.headers)
