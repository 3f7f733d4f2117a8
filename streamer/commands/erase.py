"""Deletes a ticket's labels, and says where its text remains until when."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from aiokafka.errors import KafkaError

from streamer.config.settings import Settings
from streamer.errors import BrokerError
from streamer.services.inspect import Inspection, find
from streamer.services.inspect.inspection import doubt
from streamer.services.runtime.kafka import kafka_clients
from streamer.stream.partitioner import partitions
from streamer.stream.retention import Retention, text_topics, topic_config
from streamer.terminal import clean, local, note, tell

if TYPE_CHECKING:
    from streamer.stream.clients import Clients


def run(settings: Settings, ids: Sequence[str], since: timedelta, dry_run: bool) -> int:
    """Send the deletions, unless `dry_run`; raises as every Kafka verb does."""
    return asyncio.run(_erase(settings, ids, since, dry_run))


async def _erase(settings: Settings, ids: Sequence[str], since: timedelta, dry_run: bool) -> int:
    clients, topics = kafka_clients(settings.kafka), settings.topics
    inspections = {
        ticket_id: await find(settings, ticket_id, since, text=False) for ticket_id in ids
    }
    async with clients.admin() as admin:
        names = text_topics(topics)
        kept = {name: Retention.of(await topic_config(admin, name)) for name in names}
        described = await admin.describe_topics([topics.tickets])
    partition_count = len(described[0]["partitions"])
    targets = {
        ticket_id: _partitions(ticket_id, inspection, partition_count)
        for ticket_id, inspection in inspections.items()
    }
    if not dry_run:
        await _send(clients, settings, targets)
    for ticket_id, inspection in inspections.items():
        where = ", ".join(f"{topics.tickets}[{number}]" for number in targets[ticket_id])
        tell(f"{clean(ticket_id)}: deletion {'would be ' if dry_run else ''}sent to {where}")
        for line in _remains(inspection, kept, topics.answers):
            tell(f"  {line}")
        if not inspection.occurrences:
            note(_UNSEEN.format(clean(ticket_id), topics.tickets))
        if inspection.unread:
            note(f"{clean(ticket_id)}: {doubt(inspection.unread)}")
        if not inspection.complete:
            note(
                f"{clean(ticket_id)}: there was too much to read, so more may be left than is said"
            )
    table = "" if topics.current is None else f", and the table what stands in {topics.current}"
    note(f"classify deletes the labels when it comes to it{table}")
    note("docs/privacy.md says what is left")
    return 0


_UNSEEN = (
    "{}: nothing of it was found so far back; the deletion goes where its key belongs, which is "
    "right where {} is keyed by ticket ids"
)


def _partitions(ticket_id: str, inspection: Inspection, count: int) -> list[int]:
    """The partitions to tell: a deletion reaches what lies before it in its own partition."""
    numbers = {occurrence.partition for occurrence in inspection.occurrences}
    # Of a ticket that came often only the newest occurrences are looked at, but all of its labels.
    numbers |= {label.position.partition for task in inspection.outcomes for label in task.labels}
    there = sorted(number for number in numbers if number < count)
    return there or partitions([ticket_id.encode()], count).tolist()


def _remains(inspection: Inspection, kept: Mapping[str, Retention], answers: str) -> Iterator[str]:
    """Where text of the ticket was found, and until when it stays there.

    A person's answer names a ticket and holds none of its text, alive or dead.
    """
    last: dict[str, int] = {}
    for hop in inspection.hops:
        if hop.topic in kept and hop.died_on != answers:
            last[hop.topic] = max(last.get(hop.topic, 0), hop.at_ms)
    for topic, at_ms in last.items():
        yield f"text stays in {topic} {_until(at_ms, kept[topic])}"


def _until(at_ms: int, kept: Retention) -> str:
    if kept.at_least is None:
        return "for ever: set its retention.ms"
    if kept.at_most is None:
        return "until its segment is full, and that may never be: set segment.ms"
    begin = local(at_ms).astimezone(UTC)
    early, late = (f"{begin + time:%Y-%m-%d %H:%M} UTC" for time in (kept.at_least, kept.at_most))
    return f"until {early}" if early == late else f"until {early}, or {late} at the latest"


async def _send(
    clients: "Clients", settings: Settings, targets: Mapping[str, Sequence[int]]
) -> None:
    topic = settings.topics.tickets
    producer = clients.producer(limit=settings.kafka.max_record_bytes, compression=None)
    async with clients.started(producer):
        try:
            for ticket_id, numbers in targets.items():
                for number in numbers:
                    key = ticket_id.encode()
                    await producer.send_and_wait(topic, None, key=key, partition=number)
        except KafkaError as error:
            raise BrokerError(
                f"Kafka refused a deletion ({error!r}): look at this user's rights, then run it "
                "again; a second deletion does no harm"
            ) from error
