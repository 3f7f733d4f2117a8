"""Counts what a batch of votes says about its workers and its rule."""

from itertools import combinations

import numpy as np

from streamer.decide.disposition import Disposition
from streamer.decide.predictions import ABSTAINED
from streamer.observe.metrics import Metrics


def tally(metrics: Metrics, task: str, plan: Disposition) -> None:
    """Count the plan's decisions, votes and agreements.

    Seats beside count as votes too: what a worker says does not hang on why it was asked.
    """
    count, drawn = plan.count, plan.draws.uniform
    accepted = count.decision.label_ids != ABSTAINED
    metrics.decisions(task, int(np.count_nonzero(accepted)), len(accepted))
    if of := int(np.count_nonzero(drawn)):
        metrics.stratum(task, int(np.count_nonzero(accepted & drawn)), of)
    worker_votes = [*count.worker_votes, *count.audit_votes]
    given = [votes.predictions.label_ids != ABSTAINED for votes in worker_votes]
    for votes, voted in zip(worker_votes, given, strict=True):
        metrics.ballots(task, votes.worker, int(np.count_nonzero(voted)), len(voted))
    for one, other in combinations(range(len(worker_votes)), 2):
        both = given[one] & given[other]
        same = (
            worker_votes[one].predictions.label_ids == worker_votes[other].predictions.label_ids
        ) & both
        agreed, of = int(np.count_nonzero(same)), int(np.count_nonzero(both))
        metrics.agreements(task, worker_votes[one].worker, worker_votes[other].worker, agreed, of)
