"""Keeps what can't be processed, byte for byte, with the reason."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from hashlib import sha256

from streamer.errors import TicketError
from streamer.records.dead_letter import DeadLetter, attempts, original
from streamer.records.fetched import name_bytes
from streamer.stream.handler import Emission, Record

Header = tuple[str, bytes]

CONTEXT = ("traceparent", "tracestate")
KEPT_BYTES = 64 * 1024
KEPT_CHARACTERS = 2000


def _now() -> datetime:
    return datetime.now(UTC)


class DeadLetters:
    """Writes inputs to the dead letter topic.

    `limit` is the largest input record in bytes that is copied whole; the topic has to take
    64 KiB more for the reason. Of a larger one the first 64 KiB of the value are kept, flagged,
    with the hash of the whole, and key and headers where they fit: refusing to write the dead
    letter would stop the stream for one record. `on_letter` is told the reason of each.
    What was replayed and dies again keeps its own headers and the count of its replays.
    """

    def __init__(
        self,
        topic: str,
        limit: int,
        clock: Callable[[], datetime] = _now,
        on_letter: Callable[[str], None] = lambda reason: None,
    ) -> None:
        self.topic = topic
        self._on_letter = on_letter
        self._limit = limit
        self._clock = clock

    def emission(
        self, record: Record, error: TicketError, trace: Sequence[Header] = ()
    ) -> Emission:
        """The dead letter of an input record.

        Its trace context is that among the headers `trace`, and replaces whatever came with the
        record: a reader takes the first of two, which need not be the valid one.
        """
        self._on_letter(error.reason)
        whole = record_bytes(record) <= self._limit
        letter = DeadLetter(
            reason=error.reason,
            error=error.detail[:KEPT_CHARACTERS],
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            at=self._clock().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            truncated=not whole,
            sha256=None if whole else sha256(record.value or b"").hexdigest(),
            attempt=attempts(record.headers),
        )
        if whole:
            headers = [*_traced(record.headers, trace), *letter.headers()]
            return Emission(record, self.topic, record.key, record.value, headers)
        key = (record.key or b"")[:KEPT_BYTES] or None
        value = record.value and record.value[:KEPT_BYTES]
        kept = _traced(record.headers, trace)
        if headers_bytes(kept) > KEPT_BYTES:
            kept = [header for header in trace if header[0] == CONTEXT[0]]
        return Emission(record, self.topic, key, value, [*kept, *letter.headers()])


def _traced(headers: Sequence[Header], trace: Sequence[Header]) -> list[Header]:
    own = original(headers)
    context = [header for header in trace if header[0] in CONTEXT]
    if not context:
        return own
    return [*context, *(header for header in own if header[0] not in CONTEXT)]


def record_bytes(record: Record | Emission) -> int:
    """Size of key, value and headers, which is what the broker's limit counts (and a little)."""
    size = len(record.key or b"") + len(record.value or b"")
    return size + headers_bytes(record.headers) if record.headers else size


def headers_bytes(headers: Sequence[tuple[str, bytes]]) -> int:
    """Size of the headers' names and values, and a little for the lengths of each."""
    size = 8 * len(headers)
    for name, value in headers:
        size += len(name) if name.isascii() else len(name_bytes(name))
        size += len(value or b"")
    return size
