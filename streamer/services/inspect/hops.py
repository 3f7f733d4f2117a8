"""Makes hops of the records about a ticket."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from streamer.client import LabelRecord
from streamer.config.kafka import Topics
from streamer.records.judge_request import JudgeRequest
from streamer.records.label import Label, Position
from streamer.records.log import AnswerLog, BallotLog, VerdictLog, log_from_json
from streamer.records.review import Review
from streamer.services.inspect.inspection import Hop, Kind
from streamer.services.inspect.letters import letter_of
from streamer.stream.handler import Record


@dataclass(slots=True)
class Timeline:
    """What the records say, in the order in which they are taken in.

    `requests` are those for a label, with the hop that each made.
    """

    hops: list[Hop] = field(default_factory=list)
    labels: list[LabelRecord] = field(default_factory=list)
    requests: list[tuple[Hop, JudgeRequest]] = field(default_factory=list)
    verdicts: list[VerdictLog] = field(default_factory=list)
    dead: list[Position] = field(default_factory=list)
    positions: set[Position] = field(default_factory=set)


def timeline_of(records: Sequence[Record], topics: Topics, source: str) -> Timeline:
    """Follow the records of one ticket; `source` is the input's name."""
    timeline = Timeline()
    takers: dict[str, tuple[Kind, Callable[[Timeline, Record], None]]] = {
        topics.labels: ("label", _label),
        topics.judge: ("judge request", _request),
        topics.audit: ("audit request", _request),
        topics.log: ("ballot", _log),
        topics.review: ("review", _review),
        topics.dead: ("dead letter", partial(_dead, topics=topics, source=source)),
    }
    for record in sorted(records, key=lambda record: (record.timestamp, record.offset)):
        kind, take = takers[record.topic]
        try:
            take(timeline, record)
        except (ValueError, TypeError, KeyError, AttributeError):
            _hop(timeline, record, kind, None, "not readable by this release")
    return timeline


def _hop(
    timeline: Timeline,
    record: Record,
    kind: Kind,
    task: str | None,
    note: str,
    died_on: str | None = None,
) -> Hop:
    where = record.topic, record.partition, record.offset, record.timestamp
    hop = Hop(kind, task, *where, note, died_on)
    timeline.hops.append(hop)
    return hop


def _label(timeline: Timeline, record: Record) -> None:
    read = LabelRecord.of(record)
    timeline.labels.append(read)
    if read.value is None:
        _hop(timeline, record, "deletion", read.task, "labels before it are gone")
        return
    if read.label is None:
        raise ValueError("no label")
    timeline.positions.add(read.label.position)
    _hop(timeline, record, "label", read.task, _said(read.label))


def _said(label: Label) -> str:
    words = [f"{label.label} by {label.source}, revision {label.revision}"]
    if not label.final:
        words.append("not final")
    if label.verdict is not None:
        words.append(label.verdict)
    if label.backfill is not None:
        words.append(f"backfill {label.backfill}")
    return ", ".join(words)


def _request(timeline: Timeline, record: Record) -> None:
    request = JudgeRequest.from_json(record.value or b"")
    timeline.positions.add(request.position)
    audit = request.purpose == "audit"
    votes = ", ".join(f"{v.worker}={v.label or v.abstained}" for v in request.ballot.votes)
    hop = _hop(
        timeline,
        record,
        "audit request" if audit else "judge request",
        request.task,
        f"{request.purpose}: {votes}",
    )
    if not audit:
        timeline.requests.append((hop, request))


def _log(timeline: Timeline, record: Record) -> None:
    log = log_from_json(record.value or b"")
    if isinstance(log, BallotLog):
        timeline.positions.add(log.position)
        note = log.label if log.label is not None else f"deferred: {log.deferred}"
        _hop(
            timeline,
            record,
            "ballot",
            log.task,
            note + (", uniform stratum" if log.uniform else ""),
        )
    elif isinstance(log, VerdictLog):
        timeline.verdicts.append(log)
        _hop(timeline, record, "verdict", log.task, f"{log.purpose}: {log.missing or log.judge}")
    else:
        assert isinstance(log, AnswerLog)
        _hop(timeline, record, "answer", log.task, f"{log.label} by {log.reviewer}")


def _review(timeline: Timeline, record: Record) -> None:
    review = Review.from_json(record.value or b"")
    timeline.positions.add(review.position)
    _hop(timeline, record, "review", review.task, f"a person is asked: {review.reason}")


def _dead(timeline: Timeline, record: Record, topics: Topics, source: str) -> None:
    letter = letter_of(record)
    died = letter.letter
    if died.topic == topics.tickets:
        position = Position(source, died.topic, died.partition, died.offset)
        timeline.positions.add(position)
        timeline.dead.append(position)
    note = f"{died.reason}, from {letter.origin} (streamer dead show {letter.place})"
    _hop(timeline, record, "dead letter", letter.task, note, died.topic)
