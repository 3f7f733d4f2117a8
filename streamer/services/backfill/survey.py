"""What a backfill has to read, and which tickets in it count no more."""

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

import numpy as np
from aiokafka import TopicPartition
from numpy.typing import NDArray

from streamer.errors import TicketError
from streamer.services.intake.ticket_reader import TicketReader
from streamer.stream.handler import Record
from streamer.stream.reading import Reader

Watch = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Stretch:
    """One partition's part: its first offset, the one to stop before, its tickets, and which of
    them are left out.

    It stops right after the last record, since there may be none at the offsets behind it.
    """

    start: int
    end: int
    tickets: int
    superseded: frozenset[int]


@dataclass(frozen=True, slots=True)
class Times:
    """From `begin` on and before `end`, in milliseconds since the epoch."""

    begin: int
    end: int

    def __contains__(self, timestamp: int) -> bool:
        return self.begin <= timestamp < self.end


@dataclass(frozen=True, slots=True)
class Survey:
    """The partitions with anything to read, each with its part; the times wanted are `times`."""

    stretches: dict[TopicPartition, Stretch]
    times: Times

    @property
    def ends(self) -> dict[TopicPartition, int]:
        return {partition: stretch.end for partition, stretch in self.stretches.items()}

    def counts(self, record: Record) -> bool:
        """Whether a record of these times is the last word on its ticket, and no deletion."""
        stretch = self.stretches.get(TopicPartition(record.topic, record.partition))
        return (
            stretch is not None
            and record.value is not None
            and record.offset not in stretch.superseded
        )


async def survey(
    reader: Reader,
    topic: str,
    ticket_reader: TicketReader,
    begin: datetime,
    end: datetime,
    watch: Watch,
) -> Survey:
    """Look through the topic from `begin` to where it ends now, for what is older than `end`.

    By each record's own time: one that is stamped ahead hides nothing of what lies behind it.
    A ticket whose id comes again, or is deleted, later in its partition is superseded: a label of
    it would stand for nothing, and hide the newer one in a compacted topic. Takes 17 bytes of
    memory per record.
    """
    topic_partitions = reader.partitions(topic)
    parts = await reader.parts(topic_partitions, begin)
    times = Times(int(begin.timestamp() * 1000), int(end.timestamp() * 1000))
    columns = {partition: _Column(times) for partition in topic_partitions}
    total, read = sum(part.count for part in parts), 0
    async for batch in reader.batches(parts):
        read += len(batch)
        watch(read, total)
        for record in batch:
            column = columns[TopicPartition(record.topic, record.partition)]
            column.add(record, _id(record, ticket_reader))
    starts = {part.partition: part.start for part in parts}
    stretches = {
        partition: column.stretch(starts[partition]) for partition, column in columns.items()
    }
    return Survey(
        {partition: stretch for partition, stretch in stretches.items() if stretch.tickets}, times
    )


class _Column:
    """The records of one partition, those of these times being the ones to classify."""

    def __init__(self, times: Times) -> None:
        self._times = times
        self._last = -1
        self._tickets = 0
        self._deletions: set[int] = set()
        self._ids = array("Q")
        self._offsets = array("q")
        self._wanted = array("b")

    def add(self, record: Record, ticket_id: str | None) -> None:
        wanted = record.timestamp in self._times
        if wanted:
            self._last = record.offset
            if record.value is None:
                self._deletions.add(record.offset)
            else:
                self._tickets += 1
        if ticket_id is not None:
            self._ids.append(int.from_bytes(blake2b(ticket_id.encode(), digest_size=8).digest()))
            self._offsets.append(record.offset)
            self._wanted.append(wanted)

    def stretch(self, start: int) -> Stretch:
        older = _older(np.array(self._ids, np.uint64))
        mine = older[np.array(self._wanted, np.bool_)[older]]
        superseded: Sequence[int] = np.array(self._offsets, np.int64)[mine].tolist()
        return Stretch(
            start, self._last + 1, self._tickets, frozenset(superseded) - self._deletions
        )


def _older(ids: NDArray[np.uint64]) -> NDArray[np.int64]:
    """The indexes [n] of ids that come again later."""
    order = np.argsort(ids, kind="stable")
    again = ids[order][:-1] == ids[order][1:]
    return np.asarray(order[:-1][again])


def _id(record: Record, ticket_reader: TicketReader) -> str | None:
    try:
        return (
            ticket_reader.deleted(record)
            if record.value is None
            else ticket_reader.ticket_id(record)
        )
    except TicketError:
        return None
