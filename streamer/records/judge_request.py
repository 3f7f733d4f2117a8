"""What goes to the judge: one ticket, one task, and everything the final label must carry."""

from dataclasses import dataclass
from typing import Literal

import orjson

from streamer.records.label import Label, Position, Rule, Segmented, Vote
from streamer.records.reading import made
from streamer.records.ticket import Ticket

Purpose = Literal["decide", "audit", "verify"]


@dataclass(frozen=True, slots=True)
class Ballot:
    """Votes with the workers' probability vectors, one row per vote (null for an abstention)."""

    votes: tuple[Vote, ...]
    vectors: tuple[tuple[float, ...] | None, ...]


@dataclass(frozen=True, slots=True)
class Follower:
    """A task that waits for this request's label, because its `when` names this task.

    Exactly one of `label` (the workers agreed) and `request` (the judge decides) is set. It
    counts only if the judge's label is one of `labels`; else it is not applicable.
    """

    labels: tuple[str, ...]
    label: Label | None = None
    request: "JudgeRequest | None" = None


@dataclass(frozen=True, slots=True)
class JudgeRequest:
    """One ticket and task for the judge. The prompt never shows the ballot.

    `purpose` decide asks for the label; verify for a verdict on `candidate`, which was published
    as revision 0; audit for nothing that is published. `candidate` is the workers' own label, and
    `ensemble` the mean of their distributions, where the rule after the judge needs it. `uniform`
    marks the tickets drawn before any vote, on which all workers were asked; `accepted`, that the
    rule itself let the candidate stand. `calibration` is the
    version that tempered the ballot's shares; its vectors are raw. `backfill` and `segment`
    are as in `Label`.
    """

    ticket: Ticket
    task: str
    label_set: str
    ballot: Ballot
    rule: Rule
    decision_id: str
    revision: int
    purpose: Purpose
    position: Position
    created_at: str
    traceparent: str
    followers: tuple[Follower, ...] = ()
    candidate: str | None = None
    ensemble: tuple[float, ...] | None = None
    uniform: bool = False
    accepted: bool = False
    calibration: str | None = None
    backfill: str | None = None
    segment: Segmented | None = None

    def to_json(self) -> bytes:
        return orjson.dumps(self)

    @classmethod
    def from_json(cls, value: bytes) -> "JudgeRequest":
        """Raises `ValueError` when the value is not a request: `FieldError` names the field."""
        return made(cls, orjson.loads(value))
