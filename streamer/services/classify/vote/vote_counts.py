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
    seats = [*count.seats, *count.beside]
    given = [seat.predictions.label_ids != ABSTAINED for seat in seats]
    for seat, voted in zip(seats, given, strict=True):
        metrics.ballots(task, seat.worker, int(np.count_nonzero(voted)), len(voted))
    for one, other in combinations(range(len(seats)), 2):
        both = given[one] & given[other]
        same = (seats[one].predictions.label_ids == seats[other].predictions.label_ids) & both
        agreed, of = int(np.count_nonzero(same)), int(np.count_nonzero(both))
        metrics.agreements(task, seats[one].worker, seats[other].worker, agreed, of)
