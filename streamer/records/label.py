"""The published result for one ticket and task."""

from dataclasses import dataclass
from typing import Literal

import orjson

from streamer.records.reading import made

Source = Literal["workers", "judge", "fallback", "person", "pool"]
Verdict = Literal["confirmed", "corrected"]

DELETED_AT = "source.offset"
"""Header of a deletion on the labels topic: where it lay in the input, as a label's position."""

DELETED_IN = "source.partition"
"""Header beside it: topic and partition of the input, as `tickets/3`."""

STANDS = "table.writer"
"""Header of a record that is its key's state, as the table wrote it: by which process."""


@dataclass(frozen=True, slots=True)
class Vote:
    """What one worker said: a label, or an abstention and why.

    `probability` is the worker's calibrated probability of its label.
    """

    worker: str
    version: str | None
    label: str | None
    probability: float | None
    abstained: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """The rule that decided: how many of how many had to agree, and how sure they had to be.

    `worker` is the one that decided alone.
    """

    kind: str
    quorum: int
    of: int
    measure: str | None = None
    at_least: float | None = None
    alpha: float | None = None
    worker: str | None = None


@dataclass(frozen=True, slots=True)
class After:
    """The rule that said whose label stands once the judge had answered."""

    kind: str
    alpha: float


JUDGE_STANDS = After("v3", 0.0)
"""The judge's label always."""


@dataclass(frozen=True, slots=True)
class Segmented:
    """The segment that a ticket was served as, by its number; None where it was served like all
    that fit no segment. `version` is that of the routing: segments, classifier and ways.
    """

    number: int | None
    version: str

    @property
    def name(self) -> str:
        """The number as text; `general` where there is none."""
        return "general" if self.number is None else str(self.number)


@dataclass(frozen=True, slots=True)
class Position:
    """Where the ticket lay in the input."""

    source: str
    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Label:
    """One decision with its provenance.

    For one key `<ticket id>/<task>` the state is the label with the highest
    (position.offset, revision), then the last in the log: repeats after a crash may differ.
    Times are RFC 3339 in UTC; `confidence` is a calibrated probability, or null where workers or
    judge give labels only. Where the judge was asked, `judge` is its version and `after` the rule
    that chose between its label and the workers'; source `pool` is a label that only both together
    find likeliest. `calibration` is the version of the calibration
    that the decision rests on. Of a label that was published before the judge had looked at it,
    revision 0 is not `final`, and revision 1 says in `verdict` what became of it. A person's answer
    is revision 2. `backfill` names the backfill that decided it, None in the live stream. `segment`
    is None where the task is served without segments. `carried` is set on a label that the table
    wrote again at a newer message of its ticket: where it was given first; `released` on the one
    that stands after a person gave theirs up.
    """

    ticket_id: str
    task: str
    label: str
    confidence: float | None
    source: Source
    revision: int
    final: bool
    votes: tuple[Vote, ...]
    rule: Rule
    calibration: str | None
    label_set: str
    decision_id: str
    position: Position
    created_at: str
    decided_at: str
    judge: str | None = None
    after: After | None = None
    verdict: Verdict | None = None
    backfill: str | None = None
    segment: Segmented | None = None
    carried: Position | None = None
    released: bool = False

    @property
    def key(self) -> bytes:
        """Kafka key: the task is part of it, so that tasks don't compact each other away."""
        return label_key(self.ticket_id, self.task)

    def to_json(self) -> bytes:
        return orjson.dumps(self)

    @classmethod
    def from_json(cls, value: bytes) -> "Label":
        """Raises `ValueError` when the value is not a label: `FieldError` names the field."""
        return made(cls, orjson.loads(value))


def label_key(ticket_id: str, task: str) -> bytes:
    """The key of a ticket's label on the labels topic."""
    return f"{ticket_id}/{task}".encode()
