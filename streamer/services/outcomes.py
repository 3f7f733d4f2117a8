"""Builds the records of decided and of deferred tickets."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from streamer.records.judge_request import Ballot, Follower, JudgeRequest
from streamer.records.label import Label, Position, Source, Vote
from streamer.services.arrival import Arrival
from streamer.services.task import Task
from streamer.services.voting import Count, Seat

DIGITS = 5


class Outcome(NamedTuple):
    """What the workers made of one ticket: a label, or -1 for the judge."""

    arrival: Arrival
    code: int
    confidence: float | None
    votes: tuple[Vote, ...]
    row: int


def outcomes(task: Task, arrivals: Sequence[Arrival], count: Count) -> Iterator[Outcome]:
    """Each counted ticket with its votes, in the count's order."""
    names = (*task.label_set.labels, None)
    ballots = zip(*(_votes(seat, names) for seat in count.seats), strict=True)
    codes = count.decision.codes.tolist()
    confidences = _rounded(count.decision.confidence)
    rows = count.rows.tolist()
    for at, (row, code, confidence, votes) in enumerate(
        zip(rows, codes, confidences, ballots, strict=True)
    ):
        yield Outcome(arrivals[row], code, confidence, votes, at)


def label(task: Task, outcome: Outcome, source: Source, decided_at: str) -> Label:
    """The label of a ticket on which the workers agreed."""
    arrival, identity = outcome.arrival, outcome.arrival.identity
    return Label(
        ticket_id=arrival.ticket.id,
        task=task.name,
        label=task.label_set.labels[outcome.code],
        confidence=outcome.confidence,
        source=source,
        revision=0,
        final=True,
        votes=outcome.votes,
        rule=task.rule,
        calibration=None,
        label_set=task.label_set.version,
        decision_id=identity.decision_id(task.name),
        position=position(arrival),
        created_at=arrival.ticket.created_at,
        decided_at=decided_at,
    )


def request(
    task: Task, outcome: Outcome, count: Count, traceparent: str, followers: Sequence[Follower]
) -> JudgeRequest:
    """The judge request of a ticket on which they did not."""
    arrival = outcome.arrival
    return JudgeRequest(
        ticket=arrival.ticket,
        task=task.name,
        label_set=task.label_set.version,
        ballot=Ballot(outcome.votes, tuple(_vector(seat, outcome.row) for seat in count.seats)),
        rule=task.rule,
        decision_id=arrival.identity.decision_id(task.name),
        revision=0,
        purpose="decide",
        position=position(arrival),
        created_at=arrival.ticket.created_at,
        traceparent=traceparent,
        followers=tuple(followers),
    )


def position(arrival: Arrival) -> Position:
    """Where the ticket lay."""
    identity = arrival.identity
    return Position(identity.source, identity.topic, identity.partition, identity.offset)


def _votes(seat: Seat, names: Sequence[str | None]) -> list[Vote]:
    codes = seat.opinion.codes
    shares = _rounded(seat.opinion.of_label(codes))
    return [
        Vote(seat.worker, seat.version, names[code], share, _why(seat, code))
        for code, share in zip(codes.tolist(), shares, strict=True)
    ]


def _why(seat: Seat, code: int) -> str | None:
    return None if code >= 0 else seat.absent or "unusable"


def _vector(seat: Seat, row: int) -> tuple[float, ...] | None:
    probabilities = seat.opinion.probabilities
    if probabilities is None or seat.opinion.codes[row] < 0:
        return None
    return tuple(np.round(probabilities[row].astype(np.float64), DIGITS).tolist())


def _rounded(values: "np.ndarray[tuple[int], np.dtype[np.float32]]") -> list[float | None]:
    rounded = np.round(values.astype(np.float64), DIGITS).tolist()
    return [None if value != value else value for value in rounded]
