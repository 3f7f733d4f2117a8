"""Versions on trial beside those that serve, by a log."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from streamer.learn.data.decisions import LoggedDecision
from streamer.learn.measures.shares import Share
from streamer.records.labelset import LabelSet
from streamer.records.log import BallotLog, ShadowVote

Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class VersionTrial:
    """One version on trial beside the version of its model that served.

    `drawn` tickets were to be shown to it and `answered` were. `agreement` is with the serving
    version, over all tickets that both answered; `judged` and `serving_judged` are how often the
    one and the other said what the judge said, over the same tickets of the uniform stratum alone.
    None where there is no such ticket. Of these tickets it `gained` those on which it alone said
    what the judge said, and `lost` those on which the serving version alone did.
    """

    worker: str
    serving: str
    version: str
    drawn: int
    answered: int
    agreement: Share | None
    judged: Share | None
    serving_judged: Share | None
    gained: int = 0
    lost: int = 0


def trials(decisions: Iterable[LoggedDecision], task: str, labels: LabelSet) -> list[VersionTrial]:
    """Every pair of a serving version and one on trial that the log of this task has."""
    by_key: dict[Key, list[tuple[LoggedDecision, ShadowVote, str]]] = defaultdict(list)
    for decision in decisions:
        ballot = decision.ballot
        if ballot is None or (ballot.task, ballot.label_set) != (task, labels.version):
            continue
        for vote in ballot.shadows:
            serving = _serving(ballot, vote.worker)
            if serving is not None:
                by_key[vote.worker, serving[0], vote.version].append((decision, vote, serving[1]))
    return [_trial(key, pairs, labels) for key, pairs in sorted(by_key.items())]


def _serving(ballot: BallotLog, worker: str) -> tuple[str, str] | None:
    """The version that served and what it said; None where it was not asked or did not say."""
    for vote in ballot.ballot.votes:
        if vote.worker == worker and vote.version and vote.label is not None:
            return vote.version, vote.label
    return None


def _trial(
    key: Key, pairs: list[tuple[LoggedDecision, ShadowVote, str]], labels: LabelSet
) -> VersionTrial:
    both = [
        (decision, vote.label, serving_label)
        for decision, vote, serving_label in pairs
        if vote.label is not None
    ]
    judged = [
        (labels.labels[vector.index(max(vector))], new, old)
        for decision, new, old in both
        for vector in [_verdict(decision)]
        if vector is not None
    ]
    return VersionTrial(
        *key,
        len(pairs),
        len(both),
        _share([new == old for _, new, old in both]),
        _share([new == judge for judge, new, _ in judged]),
        _share([old == judge for judge, _, old in judged]),
        gained=sum(new == judge != old for judge, new, old in judged),
        lost=sum(old == judge != new for judge, new, old in judged),
    )


def _verdict(decision: LoggedDecision) -> tuple[float, ...] | None:
    """The judge's probabilities, of a ticket of the uniform stratum that it answered."""
    if decision.ballot is None or not decision.ballot.uniform or decision.verdict is None:
        return None
    return decision.verdict.vector


def _share(right: list[bool]) -> Share | None:
    return Share(sum(right), len(right)) if right else None
