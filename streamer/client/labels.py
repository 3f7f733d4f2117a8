"""Labels as they become known, for subscribers who act on them or keep them."""

from collections.abc import AsyncGenerator, Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, overload

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaConnectionError

from streamer.client.delivery import Delivery, Start
from streamer.client.memory import Memory
from streamer.client.record import LabelRecord
from streamer.client.stream import ensure_topic
from streamer.client.unreadable import UnreadableLabel
from streamer.errors import BrokerError
from streamer.records.fetched import read_any_header_name
from streamer.records.label import Label
from streamer.stopping import stopped

OnUnreadable = Callable[[UnreadableLabel], object]

METADATA_AGE_MS = 10_000
"""How long it goes unnoticed that partitions were added."""


@dataclass(frozen=True, slots=True)
class Deletion:
    """A ticket was deleted: remove its label of this task.

    It reaches labels whose `position.offset` is lower than `deleted_at`; all, where that is None.
    """

    ticket_id: str
    task: str
    deleted_at: int | None


@overload
def labels(
    bootstrap: str,
    *,
    group: str | None = ...,
    topic: str = ...,
    tasks: Collection[str] | None = ...,
    final_only: bool = ...,
    deletions: Literal[False] = ...,
    start: Start = ...,
    remember: int = ...,
    on_unreadable: OnUnreadable | None = ...,
    commit_every: float = ...,
    **client: Any,
) -> AsyncGenerator[Label, None]: ...


@overload
def labels(
    bootstrap: str,
    *,
    group: str | None = ...,
    topic: str = ...,
    tasks: Collection[str] | None = ...,
    final_only: bool = ...,
    deletions: Literal[True],
    start: Start = ...,
    remember: int = ...,
    on_unreadable: OnUnreadable | None = ...,
    commit_every: float = ...,
    **client: Any,
) -> AsyncGenerator[Label | Deletion, None]: ...


def labels(
    bootstrap: str,
    *,
    group: str | None = None,
    topic: str = "tickets.labels",
    tasks: Collection[str] | None = None,
    final_only: bool = False,
    deletions: bool = False,
    start: Start = "earliest",
    remember: int = 100_000,
    on_unreadable: OnUnreadable | None = None,
    commit_every: float = 5.0,
    **client: Any,
) -> AsyncGenerator[Any, None]:
    """The labels of these `tasks`, or of all, each once as far as memory reaches.

        async with aclosing(labels("localhost:9092", group="mine", tasks=["intent"])) as found:
            async for label in found:
                await store(label)

    Repeats are left out, and so is what an already known label stands over: the newest of
    `remember` tickets and tasks are known. After a restart a label may come again, so storing one
    must bear that. Without `final_only` a label may be followed by a revision of it. With
    `deletions` there are also `Deletion` events; whoever keeps labels needs them.

    The members of a `group` share the partitions. A label counts as done when the body asks for the
    next one, and only then is it committed: every `commit_every` seconds, and at the end. So the
    label at which a body raised, or left the loop, comes again. Without a group all labels come,
    and nothing is committed. `start` says where a group begins that has committed nothing; a group
    whose place in the topic is gone goes on at the oldest label that is left.

    `client` holds further arguments of `AIOKafkaConsumer`, such as TLS and SASL settings, or
    `max_poll_interval_ms` for a body that takes more than five minutes for one label. Lost
    connections are made again. Raises `BrokerError` where there is no Kafka or no such topic at the
    start, `ValueError` for a `start` without a time zone.

    What is no label raises `UnreadableLabel`, which names its place and field, and comes again
    after a restart. `on_unreadable` is called with that error instead, and the record passed over.
    """
    if isinstance(start, datetime) and start.tzinfo is None:
        raise ValueError("`start` has no time zone: give it one, such as tzinfo=UTC")
    options: dict[str, Any] = {"metadata_max_age_ms": METADATA_AGE_MS} | dict(
        bootstrap_servers=bootstrap,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
        **client,
    )
    choice = _Choice(tasks, final_only, deletions, Memory(remember), on_unreadable)
    return _labels(topic, options, choice, start, commit_every)


class _Choice:
    """What the subscriber wants to hear of."""

    def __init__(
        self,
        tasks: Collection[str] | None,
        final_only: bool,
        deletions: bool,
        memory: Memory,
        on_unreadable: OnUnreadable | None,
    ) -> None:
        self._tasks = None if tasks is None else {task.encode() for task in tasks}
        self._final_only = final_only
        self._deletions = deletions
        self._memory = memory
        self._on_unreadable = on_unreadable

    def event(self, raw: Any) -> Label | Deletion | None:
        """What to say of a record of the topic; None for nothing."""
        # By the key, since most of the work on a record is to decode its value.
        if self._tasks is not None and (raw.key or b"").rpartition(b"/")[2] not in self._tasks:
            return None
        record = LabelRecord.of(raw)
        label = record.label
        if record.problem is not None:
            if self._on_unreadable is None:
                raise record.problem
            self._on_unreadable(record.problem)
            return None
        if label is not None and self._final_only and not label.final:
            return None
        if not self._memory.news(record):
            return None
        if label is not None:
            return label
        gone = Deletion(record.ticket_id, record.task, record.deleted_at)
        return gone if self._deletions else None


async def _labels(
    topic: str, options: dict[str, Any], choice: _Choice, start: Start, commit_every: float
) -> AsyncGenerator[Any, None]:
    read_any_header_name()
    consumer = AIOKafkaConsumer(**options)
    delivery = Delivery(consumer, start, commit_every, grouped=options["group_id"] is not None)
    try:
        await _subscribe(consumer, topic, delivery)
        while True:
            event = choice.event(await delivery.next())
            if event is not None:
                yield event
    finally:
        await delivery.commit()
        await stopped(consumer.stop)


async def _subscribe(consumer: AIOKafkaConsumer, topic: str, delivery: Delivery) -> None:
    try:
        await consumer.start()
    except KafkaConnectionError as error:
        raise BrokerError(
            "no Kafka answers: start it, or correct its address and the TLS or SASL settings"
        ) from error
    await ensure_topic(consumer, topic)
    consumer.subscribe([topic], listener=delivery)
