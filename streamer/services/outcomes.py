"""Builds the records of decided and of deferred tickets."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from streamer.records.judge_request import Ballot, Follower, JudgeRequest
from streamer.records.label import Position, Source, Vote
from streamer.records.label_form import VoteFields
from streamer.services.arrival import Arrival
from streamer.services.task import Task
from streamer.services.voting import Count, Seat

DIGITS = 5


class Outcome(NamedTuple):
    """What the workers made of one ticket: a label, or -1 for the judge."""

    arrival: Arrival
    code: int
    confidence: float | None
    fields: tuple[VoteFields, ...]
    row: int

    @property
    def votes(self) -> tuple[Vote, ...]:
        """The votes as records; made when asked for, since most tickets only write them."""
        return tuple(Vote(**fields) for fields in self.fields)


def outcomes(task: Task, arrivals: Sequence[Arrival], count: Count) -> list[Outcome]:
    """Each counted ticket with its votes, in the count's order."""
    names = (*task.label_set.labels, None)
    ballots = zip(*(_votes(seat, names) for seat in count.seats), strict=True)
    codes = count.decision.codes.tolist()
    confidences = _rounded(count.decision.confidence)
    asked = [arrivals[row] for row in count.rows.tolist()]
    places = range(len(asked))
    return list(map(Outcome, asked, codes, confidences, ballots, places))


def label(task: Task, outcome: Outcome, source: Source, decided_at: str) -> bytes:
    """The label of a ticket on which the workers agreed, as JSON."""
    arrival = outcome.arrival
    return task.form.write(
        arrival.identity,
        arrival.ticket.id,
        outcome.code,
        outcome.confidence,
        outcome.fields,
        source,
        arrival.ticket.created_at,
        decided_at,
    )


def request(
    task: Task, outcome: Outcome, count: Count, traceparent: str, followers: Sequence[Follower]
) -> JudgeRequest:
    """The judge request of a ticket on which they did not."""
    arrival, at = outcome.arrival, outcome.arrival.identity
    return JudgeRequest(
        ticket=arrival.ticket,
        task=task.name,
        label_set=task.label_set.version,
        ballot=Ballot(outcome.votes, tuple(_vector(seat, outcome.row) for seat in count.seats)),
        rule=task.rule,
        decision_id=at.decision_id(task.name),
        revision=0,
        purpose="decide",
        position=Position(at.source, at.topic, at.partition, at.offset),
        created_at=arrival.ticket.created_at,
        traceparent=traceparent,
        followers=tuple(followers),
    )


def _votes(seat: Seat, names: Sequence[str | None]) -> list[VoteFields]:
    codes = seat.opinion.codes
    shares = _rounded(seat.opinion.of_label(codes))
    worker, version, absent = seat.worker, seat.version, seat.absent or "unusable"
    return [
        {
            "worker": worker,
            "version": version,
            "label": names[code],
            "probability": share,
            "abstained": None if code >= 0 else absent,
        }
        for code, share in zip(codes.tolist(), shares, strict=True)
    ]


def _vector(seat: Seat, row: int) -> tuple[float, ...] | None:
    probabilities = seat.opinion.probabilities
    if probabilities is None or seat.opinion.codes[row] < 0:
        return None
    return tuple(np.round(probabilities[row].astype(np.float64), DIGITS).tolist())


def _rounded(values: "np.ndarray[tuple[int], np.dtype[np.float32]]") -> list[float | None]:
    rounded = np.round(values.astype(np.float64), DIGITS).tolist()
    return [None if value != value else value for value in rounded]
