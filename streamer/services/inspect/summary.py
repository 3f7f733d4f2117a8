"""What the records of a ticket come to."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from aiokafka import TopicPartition

from streamer.client import LabelRecord, LabelTable
from streamer.config.settings import Settings
from streamer.observe.traceparent import incoming
from streamer.records.identity import TicketIdentity
from streamer.records.log import VerdictLog
from streamer.records.times import rfc3339
from streamer.services.inspect.hops import Timeline
from streamer.services.inspect.inspection import (
    Hop,
    Inspection,
    Looked,
    Occurrence,
    TaskOutcome,
    doubt,
)
from streamer.services.inspect.latency import latency
from streamer.stream.handler import Record

Committed = Mapping[TopicPartition, int]


@dataclass(frozen=True, slots=True)
class Findings:
    """What a search brought: the records about the ticket since then, and what they say.

    `unread` are dead letters that hold its id and can't be read.
    """

    ticket_id: str
    since: datetime
    records: Sequence[Record]
    timeline: Timeline
    looked: Sequence[Looked]
    complete: bool
    unread: Sequence[str]


def summary(
    settings: Settings,
    findings: Findings,
    occurrences: Sequence[Occurrence],
    group_offsets: Committed,
) -> Inspection:
    """The whole story; `group_offsets` is what classify's and the judge's groups have committed."""
    hops = [*findings.timeline.hops, *_inputs(occurrences)]
    outcomes = [
        _outcome(settings, task, findings.timeline, occurrences, group_offsets)
        for task in settings.tasks
    ]
    return Inspection(
        ticket_id=findings.ticket_id,
        since=rfc3339(int(findings.since.timestamp() * 1000)),
        occurrences=tuple(occurrences),
        outcomes=tuple(outcomes),
        hops=tuple(sorted(hops, key=lambda hop: hop.at_ms)),
        trace_id=_trace_id(settings.source, findings.records, occurrences),
        looked=tuple(findings.looked),
        complete=findings.complete,
        unread=tuple(findings.unread),
        advice=tuple(_advice(settings, findings, occurrences, outcomes)),
    )


def _inputs(occurrences: Sequence[Occurrence]) -> Iterator[Hop]:
    for occurrence in occurrences:
        if occurrence.at_ms is not None:
            note = occurrence.problem or ""
            where = occurrence.topic, occurrence.partition, occurrence.offset
            yield Hop("ticket", None, *where, occurrence.at_ms, note)


def _outcome(
    settings: Settings,
    task: str,
    timeline: Timeline,
    occurrences: Sequence[Occurrence],
    group_offsets: Committed,
) -> TaskOutcome:
    records = sorted(
        (record for record in timeline.labels if record.task == task),
        key=lambda record: record.offset,
    )
    table = LabelTable()
    for record in records:
        table.apply(record)
    state = next(iter(table.values()), None)
    labels = tuple(record.label for record in records if record.label is not None)
    requests = [item for item in timeline.requests if item[1].task == task]
    verdicts = [log for log in timeline.verdicts if log.task == task]
    return TaskOutcome(
        task=task,
        labels=labels,
        state=state,
        deleted=state is None and any(record.value is None for record in records),
        verdicts=tuple(_named(settings, log) for log in verdicts),
        judged=tuple(verdicts),
        spent=() if state is None else latency(state, records, requests, occurrences),
        waiting=_waiting(settings, task, timeline, records, occurrences, group_offsets),
    )


def _named(settings: Settings, log: VerdictLog) -> Mapping[str, float]:
    """The judge's probabilities by label; nothing for a label set that isn't configured now."""
    label_set = settings.tasks[log.task].label_set
    if log.vector is None or log.label_set != label_set.version:
        return {}
    return dict(zip(label_set.labels, log.vector, strict=True))


def _waiting(
    settings: Settings,
    task: str,
    timeline: Timeline,
    records: Sequence[LabelRecord],
    occurrences: Sequence[Occurrence],
    group_offsets: Committed,
) -> str | None:
    """Who has yet to work on it, by how far the groups are."""
    decided = {record.label.decision_id for record in records if record.label is not None}
    for hop, request in timeline.requests:
        verifies = request.purpose == "verify"
        committed = group_offsets.get(TopicPartition(hop.topic, hop.partition), 0)
        if (verifies or request.decision_id not in decided) and committed <= hop.offset:
            return f"the judge has {hop.offset - committed} records before it in {hop.topic}"
    if records or timeline.requests or timeline.dead:
        return None
    for occurrence in occurrences:
        committed = group_offsets.get(TopicPartition(occurrence.topic, occurrence.partition), 0)
        if occurrence.there and committed <= occurrence.offset:
            before = occurrence.offset - committed
            return f"classify has {before} records before it in {occurrence.topic}"
    return None


def _trace_id(
    source: str, records: Sequence[Record], occurrences: Sequence[Occurrence]
) -> str | None:
    newest = sorted(records, key=lambda record: record.timestamp, reverse=True)
    for record in newest:
        if (context := incoming(record.headers)) is not None:
            return f"{context.trace_id:032x}"
    for occurrence in occurrences:
        where = occurrence.topic, occurrence.partition, occurrence.offset
        return TicketIdentity(source, *where).trace_id
    return None


def _advice(
    settings: Settings,
    findings: Findings,
    occurrences: Sequence[Occurrence],
    outcomes: Sequence[TaskOutcome],
) -> Iterator[str]:
    if not findings.complete:
        yield "there was too much to read, so only the newest was: give a shorter --since"
    if findings.unread:
        yield doubt(findings.unread)
    if not findings.timeline.hops and not occurrences:
        yield "nothing was found: look further back (--since 7d), and check the id"
        yield "a record whose id nobody could read is among `streamer dead list`"
        yield f"it may not have reached {settings.topics.tickets} yet"
        return
    if not all(occurrence.there for occurrence in occurrences):
        yield "the ticket itself is no longer on its topic: its retention has passed"
    unknown = [
        outcome.task
        for outcome in outcomes
        if not outcome.labels and not outcome.deleted and not outcome.waiting
    ]
    if unknown and not findings.timeline.dead and not findings.timeline.requests:
        yield (
            f"no label for {', '.join(unknown)}: the ticket doesn't meet the task's "
            "`when`, or the label is older than --since"
        )
