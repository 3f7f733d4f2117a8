"""The records that an engine holds, by number and by bytes."""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import accumulate, islice
from typing import NamedTuple

from streamer.stream.dead_letters import record_bytes
from streamer.stream.handler import Record
from streamer.stream.limits import Limits

# What a record costs beside its bytes, however short it is: the objects that it is held in.
RECORD_BYTES = 256


class Batch(NamedTuple):
    """Records that are handed out together; `bytes` is what they count."""

    records: Sequence[Record]
    bytes: int


class Backlog:
    """What was read and is not finished: records that wait, and batches in flight.

    At most `max_buffered` records wait, and no more is read once all that is held counts
    `max_bytes`: key, headers and value of each, and a little for the record itself, all that times
    `copies`. A batch has `max_batch` records at most, and an equal share of the bytes.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._share = limits.max_bytes // limits.in_flight
        self._waiting: deque[Record] = deque()
        self._sizes: deque[int] = deque()
        self._waiting_bytes = 0
        self._in_flight_bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def bytes(self) -> int:
        """What the records that wait and those in flight count, with their copies."""
        return self._waiting_bytes + self._in_flight_bytes

    @property
    def room(self) -> int:
        """How many more records may be read; 0 where it is full by number or by bytes."""
        full = self.bytes >= self._limits.max_bytes
        return 0 if full else self._limits.max_buffered - len(self._waiting)

    def first(self) -> Iterator[Record]:
        """The record that has waited longest, if any."""
        return islice(self._waiting, 1)

    def take(self, records: Sequence[Record]) -> None:
        """These were read."""
        copies = self._limits.copies
        sizes = [copies * (RECORD_BYTES + record_bytes(record)) for record in records]
        self._waiting.extend(records)
        self._sizes.extend(sizes)
        self._waiting_bytes += sum(sizes)

    def cut(self) -> Batch | None:
        """The next batch, in flight from now on; None where nothing waits, or has to wait on.

        One record that is larger than a batch's share waits until it can go alone.
        """
        share = min(self._share, self._limits.max_bytes - self._in_flight_bytes)
        sums = list(accumulate(islice(self._sizes, self._limits.max_batch)))
        count = bisect_right(sums, share)
        if not count and sums and not self._in_flight_bytes:
            count = 1
        if not count:
            return None
        size = sums[count - 1]
        for _ in range(count):
            self._sizes.popleft()
        self._waiting_bytes -= size
        self._in_flight_bytes += size
        return Batch([self._waiting.popleft() for _ in range(count)], size)

    def finished(self, batch: Batch) -> None:
        """The batch is in flight no more."""
        self._in_flight_bytes -= batch.bytes

    def drop(self) -> None:
        """Forget what waits."""
        self._waiting.clear()
        self._sizes.clear()
        self._waiting_bytes = 0
