"""The log: what reproduces each decision, for calibration, replay and reports."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import orjson

from streamer.records.judge_request import Ballot, Purpose
from streamer.records.label import After, Position, Rule, Segmented, Source
from streamer.records.reading import FieldError, made

Mode = Literal["sequential", "optimistic"]
Reason = Literal["disagreement", "outage", "budget", "judge_first"]


@dataclass(frozen=True, slots=True)
class ShadowVote:
    """What another version of a worker's model said of a ticket, counted nowhere.

    `vector` is raw and rounded, as those of a ballot; `label` its likeliest, both None where it
    did not answer: `missing` says why.
    """

    worker: str
    version: str
    label: str | None
    vector: tuple[float, ...] | None
    missing: Literal["outage", "unusable"] | None = None


@dataclass(frozen=True, slots=True)
class BallotLog:
    """What the workers said of one ticket and task, and what was decided before the judge.

    The ballot's vectors are raw and rounded, as they were decided on; its first `served` votes
    decided, the others were only asked for the stratum. `label` is what was published without the
    judge, None where it was deferred; `candidate` the workers' own label in any case. `deferred`
    says why the judge decides, or why a fallback stands in for it. `uniform` tickets were drawn
    before any vote, and all workers asked. `suspended` says that no promise held: the judge's
    budget was acting, or other models answered than those that were calibrated. `shadows` are the
    versions on trial that were asked about this ticket. `segment` is as in `Label`.
    """

    decision_id: str
    ticket_id: str
    task: str
    label_set: str
    position: Position
    at: str
    uniform: bool
    ballot: Ballot
    served: int
    rule: Rule
    calibration: str | None
    label: str | None
    confidence: float | None
    source: Source | None
    candidate: str | None
    deferred: Reason | None
    suspended: bool
    final: bool
    mode: Mode
    shadows: tuple[ShadowVote, ...] = ()
    segment: Segmented | None = None
    kind: Literal["ballot"] = field(default="ballot", init=False)


@dataclass(frozen=True, slots=True)
class VerdictLog:
    """What the judge said: `vector` is raw and rounded, before the temperature of `calibration`.

    None, with `missing`, where an audit was given up (`too_late`), or the workers' label stands in
    since the judge's tokens were spent (`budget`). Of a judge that names a label and nothing more,
    it is 1 for that. `published` is the label that stands after the rule, None for an audit and
    where a person was asked instead. `coverage` is the share of its probability that a language
    model gave to all labels together; `truncated`, that it read only the ticket's head and tail.
    """

    decision_id: str
    ticket_id: str
    task: str
    label_set: str
    at: str
    purpose: Purpose
    uniform: bool
    judge: str | None
    vector: tuple[float, ...] | None
    candidate: str | None
    after: After
    published: str | None
    source: Source | None
    missing: str | None = None
    calibration: str | None = None
    coverage: float | None = None
    truncated: bool = False
    kind: Literal["verdict"] = field(default="verdict", init=False)


@dataclass(frozen=True, slots=True)
class AnswerLog:
    """What a person said; only answers to the gold sample, drawn by hash, count as the truth."""

    decision_id: str
    ticket_id: str
    task: str
    label_set: str
    at: str
    label: str
    reviewer: str
    gold: bool
    kind: Literal["answer"] = field(default="answer", init=False)


Log = BallotLog | VerdictLog | AnswerLog


def log_json(log: Log) -> bytes:
    """The record as JSON."""
    return orjson.dumps(log)


def log_from_json(value: bytes) -> Log:
    """Raises `ValueError` when the value is no log record: `FieldError` names the field."""
    raw = orjson.loads(value)
    kind = raw.pop("kind", None) if isinstance(raw, dict) else None
    if not isinstance(kind, str) or kind not in _KINDS:
        raise FieldError(f"should be one of {', '.join(_KINDS)}", "kind")
    return made(_KINDS[kind], raw)


_KINDS: dict[str, Callable[..., Log]] = {
    "ballot": BallotLog,
    "verdict": VerdictLog,
    "answer": AnswerLog,
}
