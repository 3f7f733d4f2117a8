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
    Outcome,
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
    trail: Timeline
    looked: Sequence[Looked]
    complete: bool
    unread: Sequence[str]


def summary(
    settings: Settings,
    findings: Findings,
    occurrences: Sequence[Occurrence],
    standing: Committed,
) -> Inspection:
    """The whole story; `standing` is what classify's and the judge's groups have committed."""
    hops = [*findings.trail.hops, *_inputs(occurrences)]
    outcomes = [
        _outcome(settings, task, findings.trail, occurrences, standing) for task in settings.tasks
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
    for one in occurrences:
        if one.at_ms is not None:
            note = one.problem or ""
            yield Hop("ticket", None, one.topic, one.partition, one.offset, one.at_ms, note)


def _outcome(
    settings: Settings,
    task: str,
    trail: Timeline,
    occurrences: Sequence[Occurrence],
    standing: Committed,
) -> Outcome:
    records = sorted((one for one in trail.labels if one.task == task), key=lambda one: one.offset)
    table = LabelTable()
    for record in records:
        table.apply(record)
    state = next(iter(table.values()), None)
    labels = tuple(one.label for one in records if one.label is not None)
    requests = [item for item in trail.requests if item[1].task == task]
    verdicts = [log for log in trail.verdicts if log.task == task]
    return Outcome(
        task=task,
        labels=labels,
        state=state,
        deleted=state is None and any(one.value is None for one in records),
        verdicts=tuple(_named(settings, log) for log in verdicts),
        judged=tuple(verdicts),
        spent=() if state is None else latency(state, records, requests, occurrences),
        waiting=_waiting(settings, task, trail, records, occurrences, standing),
    )


def _named(settings: Settings, log: VerdictLog) -> Mapping[str, float]:
    """The judge's probabilities by label; nothing for a label set that isn't configured now."""
    known = settings.tasks[log.task].label_set
    if log.vector is None or log.label_set != known.version:
        return {}
    return dict(zip(known.labels, log.vector, strict=True))


def _waiting(
    settings: Settings,
    task: str,
    trail: Timeline,
    records: Sequence[LabelRecord],
    occurrences: Sequence[Occurrence],
    standing: Committed,
) -> str | None:
    """Who has yet to work on it, by how far the groups are."""
    decided = {one.label.decision_id for one in records if one.label is not None}
    for hop, request in trail.requests:
        verifies = request.purpose == "verify"
        at = standing.get(TopicPartition(hop.topic, hop.partition), 0)
        if (verifies or request.decision_id not in decided) and at <= hop.offset:
            return f"the judge has {hop.offset - at} records before it in {hop.topic}"
    if records or trail.requests or trail.dead:
        return None
    for one in occurrences:
        at = standing.get(TopicPartition(one.topic, one.partition), 0)
        if one.there and at <= one.offset:
            return f"classify has {one.offset - at} records before it in {one.topic}"
    return None


def _trace_id(
    source: str, records: Sequence[Record], occurrences: Sequence[Occurrence]
) -> str | None:
    newest = sorted(records, key=lambda record: record.timestamp, reverse=True)
    for record in newest:
        if (context := incoming(record.headers)) is not None:
            return f"{context.trace_id:032x}"
    for one in occurrences:
        return TicketIdentity(source, one.topic, one.partition, one.offset).trace_id
    return None


def _advice(
    settings: Settings,
    findings: Findings,
    occurrences: Sequence[Occurrence],
    outcomes: Sequence[Outcome],
) -> Iterator[str]:
    if not findings.complete:
        yield "there was too much to read, so only the newest was: give a shorter --since"
    if findings.unread:
        yield doubt(findings.unread)
    if not findings.trail.hops and not occurrences:
        yield "nothing was found: look further back (--since 7d), and check the id"
        yield "a record whose id nobody could read is among `streamer dead list`"
        yield f"it may not have reached {settings.topics.tickets} yet"
        return
    if any(not one.there for one in occurrences):
        yield "the ticket itself is no longer on its topic: its retention has passed"
    unknown = [one for one in outcomes if not one.labels and not one.deleted and not one.waiting]
    if unknown and not findings.trail.dead and not findings.trail.requests:
        names = ", ".join(one.task for one in unknown)
        yield (
            f"no label for {names}: the ticket doesn't meet the task's `when`, or the label is "
            "older than --since"
        )
