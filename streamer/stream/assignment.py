"""The partitions that this member holds between two rebalances."""

import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from operator import attrgetter

from aiokafka import TopicPartition

from streamer.stream.handler import Record
from streamer.stream.offset_ledger import OffsetLedger


class Assignment:
    """Ledgers of the partitions held, made when the first record of one is read.

    Made lazily, and dropped whole at each rebalance: records may be fetched before the client
    announces the assignment, and a batch that ends after a rebalance must not touch the ledger
    of whoever holds the partition now.
    """

    def __init__(self) -> None:
        self._ledgers: dict[TopicPartition, OffsetLedger] = {}
        # When anything was last finished, or began to wait after a time without work.
        self.moved_at = time.monotonic()

    def read(self, partition: TopicPartition, records: Sequence[Record]) -> None:
        """Note records handed out of one partition, in the order of the log."""
        if not self.unfinished:
            self.moved_at = time.monotonic()
        ledger = self._ledgers.get(partition)
        if ledger is None:
            ledger = self._ledgers[partition] = OffsetLedger()
        ledger.read([record.offset for record in records])

    def finish(self, batch: Iterable[Record]) -> None:
        """Note records whose outputs are all acknowledged."""
        offsets: dict[tuple[str, int], list[int]] = {}
        for place, records in groupby(batch, attrgetter("topic", "partition")):
            offsets.setdefault(place, []).extend([record.offset for record in records])
        for (topic, partition), done in offsets.items():
            self._ledgers[TopicPartition(topic, partition)].finish(done)
        self.moved_at = time.monotonic()

    def to_commit(self) -> dict[TopicPartition, int]:
        """Offsets to commit now: the lowest unfinished record of each partition."""
        waiting = {tp: ledger.to_commit for tp, ledger in self._ledgers.items()}
        return {tp: offset for tp, offset in waiting.items() if offset is not None}

    def committed(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Note what Kafka took."""
        for partition, offset in offsets.items():
            self._ledgers[partition].committed = offset

    def positions(self) -> dict[TopicPartition, int]:
        """The lowest unfinished offset of each partition, or the one after the last read."""
        return {tp: ledger.position for tp, ledger in self._ledgers.items()}

    @property
    def unfinished(self) -> int:
        """Records read and not yet below a watermark."""
        return sum(ledger.unfinished for ledger in self._ledgers.values())
