"""What is to be done with counted tickets: which get a label now, and what the judge is asked."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.decide.budget import JudgeBudget
from streamer.decide.candidate import Candidate, likeliest
from streamer.decide.decision import Decision
from streamer.decide.predictions import ABSTAINED
from streamer.decide.sampling import Draws
from streamer.decide.vote_result import Mask, OutagePolicy, Rows, VoteResult
from streamer.decide.votes import plurality
from streamer.records.label import Source
from streamer.records.log import Mode, Reason


@dataclass(frozen=True, slots=True)
class PublishedGroup:
    """Tickets, by their places, whose labels are published alike."""

    places: Rows
    source: Source
    final: bool


@dataclass(frozen=True, slots=True)
class Disposition:
    """For N counted tickets: labels to publish now, and the judge requests by purpose.

    `published` is the decision with -1 where nothing is published yet. `own` is the workers' label
    in any case. `decide`, `verify` and `audit` mark the tickets of each purpose, `final` those
    whose label is the last word, `fallback` those whose label no rule vouches for. `deferred` says
    why the judge decides, `stands_in` why a fallback does it for it.
    """

    count: VoteResult
    draws: Draws
    published: Decision
    own: Candidate
    fallback: Mask
    verify: Mask
    audit: Mask
    deferred: Reason
    stands_in: Reason
    suspended: bool

    @property
    def decide(self) -> Mask:
        return np.asarray(self.published.label_ids == ABSTAINED)

    @property
    def final(self) -> Mask:
        return ~self.verify

    def parts(self) -> Iterator[PublishedGroup]:
        """The published labels, grouped by how they are published."""
        labelled = ~self.decide
        for fallback in (False, True) if np.count_nonzero(self.fallback) else (False,):
            for final in (True, False) if np.count_nonzero(self.verify) else (True,):
                places = labelled & (self.fallback == fallback) & (self.final == final)
                if np.count_nonzero(places):
                    source: Source = "fallback" if fallback else "workers"
                    yield PublishedGroup(np.flatnonzero(places), source, final)


@dataclass(frozen=True, slots=True)
class ServingPolicy:
    """How one task is served. `budget` is kept over batches; the rest is as configured."""

    mode: Mode = "sequential"
    on_outage: OutagePolicy = "wait"
    budget: JudgeBudget | None = None

    def plan(self, count: VoteResult, draws: Draws, now: float, part: float) -> Disposition:
        """The plan for the counted tickets, with their draws [N], at `now` of a steady clock.

        `part` is the share of all partitions that is assigned here.
        """
        own = _own(count, everything=self.mode == "optimistic")
        label_ids, fallback = count.decision.label_ids, np.zeros(len(count.rows), np.bool_)
        stands_in: Reason = "budget"
        if count.outage and self.on_outage == "fallback":
            own, stands_in = _most(count), "outage"
            label_ids, fallback = own.label_ids, own.label_ids != ABSTAINED
        elif self.mode == "optimistic":
            label_ids = own.label_ids
        elif self.budget is not None:
            over = self._over(self.budget, label_ids == ABSTAINED, own, now, part)
            label_ids, fallback = np.where(over, own.label_ids, label_ids), over
        published = _published(count.decision, label_ids, own)
        verify = draws.verify & (label_ids != ABSTAINED) & (self.mode == "optimistic")
        suspended = count.stale or (self.budget is not None and self.budget.suspended)
        audit = draws.uniform & (label_ids != ABSTAINED) & ~verify
        return Disposition(
            count,
            draws,
            published,
            own,
            fallback,
            verify,
            audit,
            _why_deferred(count),
            stands_in,
            suspended,
        )

    def _over(
        self, budget: JudgeBudget, wanted: Mask, own: Candidate, now: float, part: float
    ) -> Mask:
        """Those of the wanted judge calls that are too many, the last of the batch.

        A ticket that no worker answered has no label that could stand in: it is charged first.
        """
        allowed = budget.allow(int(wanted.sum()), len(wanted), now, part)
        spared = wanted & (own.label_ids != ABSTAINED)
        left = allowed - int((wanted & ~spared).sum())
        return np.asarray(spared & (np.cumsum(spared) > left))


def _why_deferred(count: VoteResult) -> Reason:
    if count.outage:
        return "outage"
    return "disagreement" if count.worker_votes else "judge_first"


def _own(count: VoteResult, everything: bool) -> Candidate:
    """The label that the rule accepted, else the likeliest; the ensemble where it may be needed."""
    accepted = count.decision.label_ids
    if not everything and (accepted != ABSTAINED).all():
        return Candidate(accepted, count.decision.confidence, None)
    if not count.worker_votes:
        return Candidate(accepted, count.decision.confidence, None)
    found = likeliest([votes.predictions for votes in count.worker_votes])
    label_ids = np.where(accepted == ABSTAINED, found.label_ids, accepted)
    return Candidate(label_ids, found.confidence, found.ensemble)


def _most(count: VoteResult) -> Candidate:
    """What most of those say who can be reached."""
    said = plurality([votes.predictions for votes in count.worker_votes])
    return Candidate(said.label_ids, said.confidence, None)


def _published(decision: Decision, label_ids: NDArray[np.int64], own: Candidate) -> Decision:
    if label_ids is decision.label_ids:
        return decision
    known = np.where(decision.label_ids == ABSTAINED, own.confidence, decision.confidence)
    return Decision(label_ids, known)
