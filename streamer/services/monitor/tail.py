"""The newest labels as they come by, and never more of them than a page can show."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aiokafka.errors import KafkaError

from streamer.client import LabelRecord, LabelStream
from streamer.errors import StreamerError
from streamer.records.label import Label
from streamer.records.times import milliseconds

log = logging.getLogger(__name__)

KEPT = 200
PER_SECOND = 200
# Labels are written by these services, but anybody may write to a topic.
LARGEST = 16 * 1024

_WAIT_S = 0.5
_AGAIN_S = 5.0
_SMALL = {"max_partition_fetch_bytes": 256 * 1024, "fetch_max_bytes": 2**20}


@dataclass(frozen=True, slots=True)
class Row:
    """One record of the labels topic. `number` counts them from 1, `at_ms` is its time in Kafka.

    `took_s` runs from the ticket's own time to the record's. `label` is None of a deletion, and of
    what is no label or larger than `LARGEST`: `why` says so.
    """

    number: int
    at_ms: int
    ticket_id: str
    task: str
    label: Label | None
    why: str | None
    took_s: float | None


@dataclass(frozen=True, slots=True)
class Newest:
    """Rows, the newest first; the number of the last of all, how many records were skipped, and
    why none come now.
    """

    rows: Sequence[Row]
    last: int
    skipped: int
    trouble: str | None


class Tail:
    """Reads the labels topic from its end, `PER_SECOND` records at most, and keeps `KEPT`.

    What comes faster is skipped unread and counted. A Kafka that can't be read is told in
    `newest().trouble` and tried again: the rest of the monitor goes on. `client` holds arguments
    of `AIOKafkaConsumer`.
    """

    def __init__(self, topic: str, client: Mapping[str, Any]) -> None:
        self._topic = topic
        self._client = client
        self._rows: deque[Row] = deque(maxlen=KEPT)
        self._number = 0
        self._skipped = 0
        self._trouble: str | None = "not connected yet"

    def newest(self, after: int = 0) -> Newest:
        """What came after the row with this number, at most `KEPT`."""
        fresh = min(self._number - after, len(self._rows))
        rows = [self._rows[-1 - back] for back in range(fresh)]
        return Newest(rows, self._number, self._skipped, self._trouble)

    def take(self, records: Sequence[LabelRecord]) -> None:
        """These are the newest."""
        for record in records:
            self._number += 1
            self._rows.append(row(self._number, record))

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            try:
                await self._follow()
            except (StreamerError, KafkaError, OSError) as error:
                self._trouble = str(error) or type(error).__name__
                log.warning("labels can't be read, trying again: %s", self._trouble)
            await asyncio.sleep(_AGAIN_S)

    async def _follow(self) -> None:
        async with LabelStream(self._topic, "latest", **{**self._client, **_SMALL}) as labels:
            self._trouble = None
            while True:
                await self._second(labels)

    async def _second(self, labels: LabelStream) -> None:
        """Take what comes within a second; where that is too much, leave out the rest of it."""
        ends = time.monotonic() + 1.0
        left = PER_SECOND
        while left and time.monotonic() < ends:
            batch = await labels.batch(_WAIT_S, left)
            left -= len(batch)
            self.take(batch)
        if not left:
            await asyncio.sleep(max(0.0, ends - time.monotonic()))
            self._skipped += await labels.skip()


def row(number: int, record: LabelRecord) -> Row:
    """How the page shows a record."""
    why, label = _why(record), record.label
    return Row(
        number=number,
        at_ms=record.timestamp,
        ticket_id=record.ticket_id[:LARGEST],
        task=record.task[:LARGEST],
        label=label if why is None else None,
        why=why,
        took_s=None if why is not None or label is None else _took_s(label, record.timestamp),
    )


def _why(record: LabelRecord) -> str | None:
    if record.value is None:
        return "deleted"
    if len(record.value) > LARGEST:
        return "too large to be shown"
    return "not a label that this release reads" if record.label is None else None


def _took_s(label: Label, at_ms: int) -> float | None:
    with suppress(TypeError):
        began = milliseconds(label.created_at)
        if began is not None:
            return (at_ms - began) / 1000
    return None
