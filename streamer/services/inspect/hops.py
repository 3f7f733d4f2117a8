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


def trail(records: Sequence[Record], topics: Topics, source: str) -> Timeline:
    """Follow the records of one ticket; `source` is the input's name."""
    found = Timeline()
    takers: dict[str, tuple[Kind, Callable[[Timeline, Record], None]]] = {
        topics.labels: ("label", _label),
        topics.judge: ("judge request", _request),
        topics.audit: ("audit request", _request),
        topics.log: ("ballot", _log),
        topics.review: ("review", _review),
        topics.dead: ("dead letter", partial(_dead, topics=topics, source=source)),
    }
    for record in sorted(records, key=lambda one: (one.timestamp, one.offset)):
        kind, take = takers[record.topic]
        try:
            take(found, record)
        except (ValueError, TypeError, KeyError, AttributeError):
            _hop(found, record, kind, None, "not readable by this release")
    return found


def _hop(
    found: Timeline,
    record: Record,
    kind: Kind,
    task: str | None,
    note: str,
    died_on: str | None = None,
) -> Hop:
    at = record.topic, record.partition, record.offset, record.timestamp
    hop = Hop(kind, task, *at, note, died_on)
    found.hops.append(hop)
    return hop


def _label(found: Timeline, record: Record) -> None:
    read = LabelRecord.of(record)
    found.labels.append(read)
    if read.value is None:
        _hop(found, record, "deletion", read.task, "labels before it are gone")
        return
    if read.label is None:
        raise ValueError("no label")
    found.positions.add(read.label.position)
    _hop(found, record, "label", read.task, _said(read.label))


def _said(label: Label) -> str:
    words = [f"{label.label} by {label.source}, revision {label.revision}"]
    if not label.final:
        words.append("not final")
    if label.verdict is not None:
        words.append(label.verdict)
    if label.backfill is not None:
        words.append(f"backfill {label.backfill}")
    return ", ".join(words)


def _request(found: Timeline, record: Record) -> None:
    request = JudgeRequest.from_json(record.value or b"")
    found.positions.add(request.position)
    audit = request.purpose == "audit"
    votes = ", ".join(f"{v.worker}={v.label or v.abstained}" for v in request.ballot.votes)
    hop = _hop(
        found,
        record,
        "audit request" if audit else "judge request",
        request.task,
        f"{request.purpose}: {votes}",
    )
    if not audit:
        found.requests.append((hop, request))


def _log(found: Timeline, record: Record) -> None:
    log = log_from_json(record.value or b"")
    if isinstance(log, BallotLog):
        found.positions.add(log.position)
        note = log.label if log.label is not None else f"deferred: {log.deferred}"
        _hop(found, record, "ballot", log.task, note + (", uniform stratum" if log.uniform else ""))
    elif isinstance(log, VerdictLog):
        found.verdicts.append(log)
        _hop(found, record, "verdict", log.task, f"{log.purpose}: {log.missing or log.judge}")
    else:
        assert isinstance(log, AnswerLog)
        _hop(found, record, "answer", log.task, f"{log.label} by {log.reviewer}")


def _review(found: Timeline, record: Record) -> None:
    review = Review.from_json(record.value or b"")
    found.positions.add(review.position)
    _hop(found, record, "review", review.task, f"a person is asked: {review.reason}")


def _dead(found: Timeline, record: Record, topics: Topics, source: str) -> None:
    letter = letter_of(record)
    died = letter.letter
    if died.topic == topics.tickets:
        place = Position(source, died.topic, died.partition, died.offset)
        found.positions.add(place)
        found.dead.append(place)
    note = f"{died.reason}, from {letter.origin} (streamer dead show {letter.place})"
    _hop(found, record, "dead letter", letter.task, note, died.topic)
