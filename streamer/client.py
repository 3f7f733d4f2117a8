"""The typed reader of labels, for subscribers: needs only the package's base dependencies."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from aiokafka import AIOKafkaConsumer

from streamer.errors import BrokerError
from streamer.records.label import DELETED_AT, Label

Start = Literal["earliest", "latest"]

_LOOK_EVERY_S = 0.02


@dataclass(frozen=True, slots=True)
class LabelRecord:
    """One record of the labels topic.

    `label` is None where the ticket was deleted, or where `value` is no label that this release
    reads (`value` is None only for a deletion). `timestamp` is in milliseconds since the epoch.
    `deleted_at` is the deletion's offset in the input, None where whoever wrote it didn't say.
    """

    key: str
    label: Label | None
    value: bytes | None
    partition: int
    offset: int
    timestamp: int
    deleted_at: int | None = None

    @property
    def ticket_id(self) -> str:
        return self.key.rpartition("/")[0]

    @property
    def task(self) -> str:
        return self.key.rpartition("/")[2]


class LabelStream:
    """Reads the labels topic, all partitions, without a consumer group.

    `client` holds arguments of `AIOKafkaConsumer` such as `bootstrap_servers` and TLS or SASL
    settings. Use it as a context manager and iterate: every record comes once per stream, repeats
    after a crash of a service included; `LabelTable` says which of them is the state.

        async with LabelStream(bootstrap_servers="localhost:9092") as labels:
            async for record in labels:
                print(record.key, record.label)
    """

    def __init__(
        self, topic: str = "tickets.labels", start: Start = "earliest", **client: Any
    ) -> None:
        self._topic = topic
        self._consumer = AIOKafkaConsumer(
            **client,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset=start,
            isolation_level="read_committed",
        )

    async def __aenter__(self) -> "LabelStream":
        try:
            await self._consumer.start()
            await self._take_place()
        except BaseException:
            await self._consumer.stop()
            raise
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._consumer.stop()

    def __aiter__(self) -> AsyncIterator[LabelRecord]:
        return self

    async def __anext__(self) -> LabelRecord:
        return _read(await self._consumer.getone())

    async def batch(self, wait_s: float) -> list[LabelRecord]:
        """What is there after waiting at most `wait_s` seconds for anything."""
        found = await self._consumer.getmany(timeout_ms=int(wait_s * 1000))
        return [_read(record) for records in found.values() for record in records]

    async def _take_place(self) -> None:
        # Asked first, because a subscriber of a missing topic would wait for it in silence.
        if self._topic not in await self._consumer.topics():
            raise BrokerError(f"Kafka has no topic {self._topic}: create it, or correct its name")
        self._consumer.subscribe([self._topic])
        while not self._consumer.assignment():  # noqa: ASYNC110 - the client tells nobody
            await asyncio.sleep(_LOOK_EVERY_S)
        # Now, and not at the first fetch: "latest" means from the moment of entering.
        for partition in self._consumer.assignment():
            await self._consumer.position(partition)


class LabelTable(Mapping[str, Label]):
    """The state of every ticket and task, by key `<ticket id>/<task>`.

    For one key the state is the label with the highest (source offset, revision), then the last
    in the log. A deletion removes what lay before it in the input, also where such a label comes
    later: the judge takes its time.
    """

    def __init__(self) -> None:
        self._labels: dict[str, Label] = {}
        self._deleted_at: dict[str, int] = {}

    def apply(self, record: LabelRecord) -> bool:
        """Take a record in; True where it changed the state (a repeat that is alike doesn't)."""
        held = self._labels.get(record.key)
        if record.value is None:
            return self._delete(record, held)
        if record.label is None or record.label == held:
            return False
        if held is not None and _rank(record.label) < _rank(held):
            return False
        if record.label.position.offset < self._deleted_at.get(record.key, 0):
            return False
        self._labels[record.key] = record.label
        return True

    def _delete(self, record: LabelRecord, held: Label | None) -> bool:
        if record.deleted_at is not None:
            # Kept, because labels of before the deletion may still come.
            self._deleted_at[record.key] = record.deleted_at
            if held is not None and held.position.offset > record.deleted_at:
                return False
        return self._labels.pop(record.key, None) is not None

    def of(self, ticket_id: str, task: str) -> Label | None:
        """The label of one ticket for one task."""
        return self._labels.get(f"{ticket_id}/{task}")

    def __getitem__(self, key: str) -> Label:
        return self._labels[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._labels)

    def __len__(self) -> int:
        return len(self._labels)


def _rank(label: Label) -> tuple[int, int]:
    return label.position.offset, label.revision


def _read(record: Any) -> LabelRecord:
    return LabelRecord(
        key=(record.key or b"").decode("utf-8", "replace"),
        label=_label(record.value),
        value=record.value,
        partition=record.partition,
        offset=record.offset,
        timestamp=record.timestamp,
        deleted_at=_deleted_at(record),
    )


def _deleted_at(record: Any) -> int | None:
    found = dict(record.headers).get(DELETED_AT, b"")
    return int(found) if record.value is None and found.isdigit() else None


def _label(value: bytes | None) -> Label | None:
    if value is None:
        return None
    try:
        return Label.from_json(value)
    except (ValueError, TypeError, KeyError):
        return None
