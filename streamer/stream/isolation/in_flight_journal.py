"""Commits that also say what is in flight, so that the next process knows what an end left."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from aiokafka import TopicPartition

from streamer.errors import BrokerError
from streamer.stream.commits import Commits, Consumer
from streamer.stream.handler import Record
from streamer.stream.isolation.note import Note
from streamer.stream.isolation.page import Page

log = logging.getLogger(__name__)

# A note for every batch would double the commits of a quiet topic. What it says too much, the next
# process works through one by one after an unclean end, for nothing: a few seconds.
AHEAD = 256
SPARE_WITHIN_S = 5.0

Committed = tuple[int, str]
"""A committed offset and its metadata."""

Look = Callable[[Sequence[TopicPartition]], Awaitable[Mapping[TopicPartition, Committed]]]


class InFlightJournal(Commits):
    """Keeps a note in the metadata of each partition's commit while its records are in flight.

    The notes travel with the group's offsets: whoever gets the partition next finds one where the
    process before it did not leave in order. `look` asks Kafka for what is committed.
    """

    def __init__(self, consumer: Consumer, look: Look, ahead: int = AHEAD) -> None:
        super().__init__(consumer)
        self._look = look
        self._ahead = ahead
        self._pages: dict[TopicPartition, Page] = {}
        self._written: dict[TopicPartition, str] = {}
        # One write at a time, each with the floor of its moment: a late one would go back.
        self._lock = asyncio.Lock()

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> bool:
        """As `Commits.commit`, and notes stay as they are."""
        async with self._lock:
            # What was settled without being worked on, like audits given up, was not asked about.
            await self._learn(offsets)
            for partition, offset in offsets.items():
                self._pages[partition].floor = offset
            return await self._write(offsets)

    async def leave(self) -> None:
        """Take the notes back; a window that isn't worked through stays open."""
        async with self._lock:
            for page in self._pages.values():
                page.close()
            await self._write(
                [
                    partition
                    for partition, page in self._pages.items()
                    if page.note().text() != self._written.get(partition)
                ]
            )
            self.forget()

    def forget(self) -> None:
        """As `Commits.forget`."""
        self._pages, self._written = {}, {}

    async def read(self, records: Sequence[Record]) -> None:
        """Learn what was noted of the records' partitions, once for each that came here."""
        async with self._lock:
            await self._learn({_partition(record): record.offset for record in reversed(records)})

    def suspects(self, record: Record) -> bool:
        """Whether the record was perhaps in flight at an unclean end."""
        return self._page(record).suspects(record.offset)

    def tries(self, record: Record) -> int:
        """How often the record was begun alone, and the process ended uncleanly."""
        return self._page(record).tries(record.offset)

    async def open(self, records: Sequence[Record]) -> None:
        """Note that the records are about to be in flight together."""
        async with self._lock:
            due = {
                _partition(record)
                for record in records
                if self._page(record).open(record.offset, self._ahead)
            }
            await self._write(due)

    async def begin(self, record: Record) -> None:
        """Note that the record is about to be tried alone."""
        async with self._lock:
            page = self._page(record)
            page.begin(record.offset)
            try:
                await self._write([_partition(record)])
            except (asyncio.CancelledError, BrokerError):
                # Kafka may have taken it all the same.
                await self._take_back(record)
                raise

    async def finish(self, record: Record) -> None:
        """Note that the trial ended well, before anything else is tried.

        With the next commit it would be too late: what is tried next, of another partition too,
        may end the process at the same place each time, and this record would be taken for it.
        """
        async with self._lock:
            self._page(record).finish(record.offset)
            await self._write([_partition(record)])

    async def spare(self, record: Record) -> None:
        """Take a trial back that was given up for another reason than the record.

        Noted now, because the process may be about to end without a commit, for that reason; left
        to the next one where Kafka doesn't take it soon.
        """
        async with self._lock:
            await self._take_back(record)

    async def _take_back(self, record: Record) -> None:
        partition = _partition(record)
        if (page := self._pages.get(partition)) is None:
            return
        page.spare(record.offset)
        with contextlib.suppress(BrokerError, TimeoutError):
            async with asyncio.timeout(SPARE_WITHIN_S):
                await self._write([partition])

    async def _learn(self, positions: Mapping[TopicPartition, int]) -> None:
        """Ask about new partitions; where nothing is committed yet, it counts from the place on."""
        new = [partition for partition in positions if partition not in self._pages]
        if not new:
            return
        notes = await self._look(new)
        for partition in new:
            offset, text = notes.get(partition, (positions[partition], ""))
            page = self._pages[partition] = Page(offset, Note.parse(text))
            self._written[partition] = text
            if page.window > offset:
                where = f"{partition.topic}[{partition.partition}]@{offset}..{page.window - 1}"
                log.warning("an unclean end left a window: %s is worked through one by one", where)

    def _page(self, record: Record) -> Page:
        return self._pages[_partition(record)]

    async def _write(self, partitions: Iterable[TopicPartition]) -> bool:
        notes = {partition: self._pages[partition].note().text() for partition in partitions}
        if not notes:
            return True
        # Of a write that is cancelled nobody knows whether Kafka took it.
        for partition in notes:
            self._written.pop(partition, None)
        taken = await self._send({tp: (self._pages[tp].floor, note) for tp, note in notes.items()})
        self._written.update(notes)
        return taken


def _partition(record: Record) -> TopicPartition:
    return TopicPartition(record.topic, record.partition)
