"""Everything that the topics say of one ticket."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from streamer.records.label import Label
from streamer.records.log import VerdictLog

Kind = Literal[
    "ticket",
    "ballot",
    "label",
    "deletion",
    "judge request",
    "audit request",
    "verdict",
    "answer",
    "review",
    "dead letter",
]

_NAMED = 10


@dataclass(frozen=True, slots=True)
class Hop:
    """One record about the ticket. `at_ms` is its Kafka time, in milliseconds since the epoch.

    `died_on` is the topic where a dead letter lay before it died.
    """

    kind: Kind
    task: str | None
    topic: str
    partition: int
    offset: int
    at_ms: int
    note: str
    died_on: str | None = None

    @property
    def place(self) -> str:
        return f"{self.topic}[{self.partition}]@{self.offset}"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """The ticket as it lies in the input; an id may come more than once.

    `there` says whether Kafka still has it; `text` and `subject` are None where it doesn't, or
    where they are hidden. `problem` says why it can't be read.
    """

    topic: str
    partition: int
    offset: int
    there: bool
    at_ms: int | None = None
    created_at: str | None = None
    subject: str | None = None
    text: str | None = None
    problem: str | None = None

    @property
    def place(self) -> str:
        return f"{self.topic}[{self.partition}]@{self.offset}"


@dataclass(frozen=True, slots=True)
class LatencyBreakdown:
    """A part of the time from the ticket to its label, in seconds."""

    on: str
    seconds: float


@dataclass(frozen=True, slots=True)
class TaskOutcome:
    """One task: all its labels in the order of the log, and which of them is the state.

    `state` is None where nothing is published, or it was deleted. `verdicts` are the judge's, by
    label, where they were logged. `waiting` says who has yet to work on it.
    """

    task: str
    labels: tuple[Label, ...]
    state: Label | None
    deleted: bool
    verdicts: tuple[Mapping[str, float], ...]
    judged: tuple[VerdictLog, ...]
    spent: tuple[LatencyBreakdown, ...]
    waiting: str | None


@dataclass(frozen=True, slots=True)
class Looked:
    """Where was looked: how many records of a topic, and in which of its partitions."""

    topic: str
    partitions: tuple[int, ...]
    records: int


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found of a ticket since `since` (RFC 3339, UTC).

    `hops` are in the order of time. `complete` is False where there was too much to read: then
    only the newest of it was. `unread` are dead letters that hold the id and can't be read, each by
    its name for `streamer dead show`. `advice` says what to try where something is missing.
    """

    ticket_id: str
    since: str
    occurrences: tuple[Occurrence, ...]
    outcomes: tuple[TaskOutcome, ...]
    hops: tuple[Hop, ...]
    trace_id: str | None
    looked: tuple[Looked, ...]
    complete: bool
    advice: tuple[str, ...]
    unread: tuple[str, ...] = ()

    @property
    def found(self) -> bool:
        """Whether anything is known of the ticket."""
        return bool(self.hops)

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON: plain values only; in each task, `state` is one of its `labels`."""
        return {"found": self.found, **asdict(self)}


def doubt(unread: Sequence[str]) -> str:
    """A sentence about dead letters, by their names, that may or may not be about a ticket."""
    named = ", ".join(unread[:_NAMED])
    if len(unread) > _NAMED:
        named += f" and {len(unread) - _NAMED} more"
    return (
        f"dead letters that hold the id and can't be read may be about it: {named}; look at them"
        " with `streamer dead show`"
    )
