"""What becomes of tickets on which workers have voted, and why."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from streamer.decide.candidate import Candidate
from streamer.decide.decision import Decision
from streamer.decide.predictions import ABSTAINED
from streamer.decide.sampling import Sample
from streamer.decide.serving_policy import ServingPolicy
from streamer.decide.vote_result import Mask, Rows
from streamer.records.label import Source
from streamer.records.log import Reason


@dataclass(frozen=True, slots=True)
class PublishedGroup:
    """Tickets, by their rows, whose labels are published alike."""

    rows: Rows
    source: Source
    final: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Disposition:
    """For N tickets: the labels to publish now, and what the judge is asked.

    `published` is -1 where nothing is published yet, and there the judge decides: `deferred` says
    why. `fallback` [N] marks published labels that no rule vouches for, `stands_in` says why any
    stands. `verify` and `audit` [N] mark published tickets that the judge is asked about as well:
    its label may correct the first, and is only counted for the second.
    """

    published: Decision
    candidate: Candidate
    fallback: Mask
    verify: Mask
    audit: Mask
    deferred: Reason
    stands_in: Reason | None

    @property
    def decide(self) -> Mask:
        """[N]: where the judge decides."""
        return np.asarray(self.published.label_ids == ABSTAINED)

    @property
    def final(self) -> Mask:
        """[N]: where a label that is published is the last word."""
        return ~self.verify

    def source(self, row: int) -> Source | None:
        """Whose label is published of the ticket; None where the judge decides."""
        if self.published.label_ids[row] == ABSTAINED:
            return None
        return "fallback" if self.fallback[row] else "workers"

    def why(self, row: int) -> Reason | None:
        """Why no rule's label is published of the ticket; None where one is."""
        if self.published.label_ids[row] == ABSTAINED:
            return self.deferred
        return self.stands_in if self.fallback[row] else None

    def groups(self) -> Iterator[PublishedGroup]:
        """The published labels, grouped by how they are published."""
        labelled = ~self.decide
        for fallback in (False, True) if np.count_nonzero(self.fallback) else (False,):
            for final in (True, False) if np.count_nonzero(self.verify) else (True,):
                marks = labelled & (self.fallback == fallback) & (self.final == final)
                if np.count_nonzero(marks):
                    source: Source = "fallback" if fallback else "workers"
                    yield PublishedGroup(np.flatnonzero(marks), source, final)


def dispose(
    decision: Decision,
    candidate: Candidate,
    policy: ServingPolicy,
    sample: Sample,
    *,
    asked: bool = True,
    outage: bool = False,
    allowed: Mask | None = None,
) -> Disposition:
    """Of N tickets with their sample [N], any part of a batch.

    `asked` says whether any worker was, `outage` whether too many of them were out for a label to
    stand, `allowed` [N] which judge calls a budget lets through where it is asked, by default all.
    """
    published, stands_in = _published(decision, candidate, policy, outage, allowed)
    labelled, nothing = published.label_ids != ABSTAINED, np.zeros(len(sample.uniform), np.bool_)
    verify = sample.verify & labelled if policy.publishes_first else nothing
    return Disposition(
        published=published,
        candidate=candidate,
        fallback=labelled & (decision.label_ids == ABSTAINED) if stands_in else nothing,
        verify=verify,
        audit=sample.uniform & labelled & ~verify,
        deferred="outage" if outage else "disagreement" if asked else "judge_first",
        stands_in=stands_in,
    )


def calls_within(count: int, decision: Decision, candidate: Candidate) -> Mask:
    """[N]: the judge calls that go where only so many may: all but the last of the batch.

    A ticket that no worker answered has no label that could stand in: it goes, and is charged
    first.
    """
    wanted = decision.label_ids == ABSTAINED
    spared = wanted & (candidate.label_ids != ABSTAINED)
    left = count - int((wanted & ~spared).sum())
    return np.asarray(~spared | (np.cumsum(spared) <= left))


def _published(
    decision: Decision,
    candidate: Candidate,
    policy: ServingPolicy,
    outage: bool,
    allowed: Mask | None,
) -> tuple[Decision, Reason | None]:
    """What is published now, and why candidates stand in for the rule's labels, if they do."""
    if policy.falls_back(outage):
        return Decision(candidate.label_ids, candidate.confidence), "outage"
    if policy.publishes_first:
        return Decision(candidate.label_ids, candidate.confidence), None
    if allowed is None:
        return decision, None
    stands = (decision.label_ids != ABSTAINED) | ~allowed
    label_ids = np.where(stands, candidate.label_ids, ABSTAINED)
    return Decision(label_ids, np.where(stands, candidate.confidence, np.nan)), "budget"
