"""A log as it would be if the versions on trial had voted."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from streamer.learn.data.decisions import LoggedDecision
from streamer.records.judge_request import Ballot
from streamer.records.log import BallotLog, ShadowVote

Versions = Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class PairedDecisions:
    """Decisions as they were, and the same with the votes of the versions on trial."""

    served: Sequence[LoggedDecision]
    promoted: Sequence[LoggedDecision]

    @classmethod
    def of(
        cls, decisions: Iterable[LoggedDecision], task: str, versions: Versions
    ) -> "PairedDecisions":
        """Of the decisions of a task in which all of these versions answered.

        `versions` are by worker the one that serves and the one on trial.
        """
        pairs = list(_pairs(decisions, task, versions))
        return cls([decision for decision, _ in pairs], [other for _, other in pairs])


def first_of_each(decisions: Iterable[LoggedDecision], since: str) -> Iterator[LoggedDecision]:
    """Those decided from a time on (RFC 3339, UTC), one for each ticket and task.

    A ticket that comes again would count as if it were another one.
    """
    seen: set[tuple[str, str]] = set()
    for decision in decisions:
        ballot = decision.ballot
        if ballot is None or ballot.at < since or (ballot.ticket_id, ballot.task) in seen:
            continue
        seen.add((ballot.ticket_id, ballot.task))
        yield decision


def _pairs(
    decisions: Iterable[LoggedDecision], task: str, versions: Versions
) -> Iterator[tuple[LoggedDecision, LoggedDecision]]:
    for decision in decisions:
        if decision.ballot is not None and decision.ballot.task == task:
            ballot = _promoted(decision.ballot, versions)
            if ballot is not None:
                yield decision, replace(decision, ballot=replace(decision.ballot, ballot=ballot))


def _promoted(log: BallotLog, versions: Versions) -> Ballot | None:
    """The ballot with the votes on trial, None where one of them is missing."""
    tried = {(vote.worker, vote.version): vote for vote in log.shadows if vote.label is not None}
    votes, vectors, left = [], [], set(versions)
    for vote, vector in zip(log.ballot.votes, log.ballot.vectors, strict=True):
        serving, version = versions.get(vote.worker, (vote.version, ""))
        if vote.worker in versions:
            shadow = tried.get((vote.worker, version))
            if shadow is None or vote.label is None or vote.version != serving:
                return None
            left.remove(vote.worker)
            vote = replace(
                vote, version=version, label=shadow.label, probability=_probability(shadow)
            )
            vector = shadow.vector
        votes.append(vote)
        vectors.append(vector)
    return None if left else Ballot(tuple(votes), tuple(vectors))


def _probability(vote: ShadowVote) -> float | None:
    return None if vote.vector is None else max(vote.vector)
