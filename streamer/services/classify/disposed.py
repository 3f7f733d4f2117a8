"""Tickets on which workers have voted, and what becomes of them while a budget lasts."""

from dataclasses import dataclass

import numpy as np

from streamer.decide.budget import JudgeBudget
from streamer.decide.candidate import workers_candidate
from streamer.decide.disposition import Disposition, calls_within, dispose
from streamer.decide.predictions import ABSTAINED
from streamer.decide.sampling import Draws
from streamer.decide.serving_policy import ServingPolicy
from streamer.decide.vote_result import VoteResult


@dataclass(frozen=True, slots=True)
class Disposed:
    """The tickets of a vote result, in its order, with what they were drawn for.

    `suspended` says that nothing is promised of them: the budget is acting, or other versions
    answered than those that were calibrated.
    """

    vote_result: VoteResult
    sample: Draws
    disposition: Disposition
    suspended: bool

    @classmethod
    def of(
        cls,
        vote_result: VoteResult,
        sample: Draws,
        policy: ServingPolicy,
        *,
        budget: JudgeBudget | None = None,
        now: float = 0.0,
        part: float = 1.0,
    ) -> "Disposed":
        """By the policy; `budget`, `now` and `part` as in `JudgeBudget.allow`."""
        decision, outage = vote_result.decision, vote_result.outage
        predictions = [votes.predictions for votes in vote_result.worker_votes]
        candidate = workers_candidate(decision, predictions, policy, outage)
        allowed = None
        if budget is not None and not policy.falls_back(outage):
            wanted = int(np.count_nonzero(decision.label_ids == ABSTAINED))
            calls = budget.allow(wanted, len(vote_result.rows), now, part)
            allowed = calls_within(calls, decision, candidate)
        disposition = dispose(
            decision,
            candidate,
            policy,
            sample,
            asked=bool(predictions),
            outage=outage,
            allowed=allowed,
        )
        suspended = vote_result.stale or (budget is not None and budget.suspended)
        return cls(vote_result, sample, disposition, suspended)
