"""Tickets on which workers have voted, and what becomes of them while a budget lasts."""

from dataclasses import dataclass

import numpy as np

from streamer.decide.candidate import workers_candidate
from streamer.decide.disposition import Disposition, calls_within, dispose
from streamer.decide.predictions import ABSTAINED
from streamer.decide.sampling import Sample
from streamer.decide.vote_result import VoteResult
from streamer.services.classify.task import ClassifyTask


@dataclass(frozen=True, slots=True)
class Disposed:
    """The tickets of a vote result, in its order, with what they were drawn for.

    `suspended` says that nothing is promised of them: the budget is acting, or other versions
    answered than those that were calibrated.
    """

    vote_result: VoteResult
    sample: Sample
    disposition: Disposition
    suspended: bool

    @classmethod
    def of(
        cls, task: ClassifyTask, vote_result: VoteResult, sample: Sample, now: float, part: float
    ) -> "Disposed":
        """As the task is served; `now` and `part` as in `JudgeBudget.allow`."""
        predictions = [votes.predictions for votes in vote_result.worker_votes]
        decision, outage, budget = vote_result.decision, vote_result.outage, task.budget
        candidate = workers_candidate(decision, predictions, task.policy, outage)
        calls = None
        if budget is not None and not task.policy.falls_back(outage):
            wanted = int(np.count_nonzero(decision.label_ids == ABSTAINED))
            calls = budget.allow(wanted, len(vote_result.rows), now, part)
        disposition = dispose(
            decision,
            candidate,
            task.policy,
            sample,
            asked=bool(predictions),
            outage=outage,
            allowed=None if calls is None else calls_within(calls, decision, candidate),
        )
        suspended = vote_result.stale or (budget is not None and budget.suspended)
        return cls(vote_result, sample, disposition, suspended)
