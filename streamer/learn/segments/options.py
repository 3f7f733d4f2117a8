"""Every route that a segment may have: some workers under a rule, or the judge at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from streamer.decide.chow import Chow
from streamer.decide.deferral_rule import DeferralRule
from streamer.decide.predictions import ABSTAINED, Predictions
from streamer.decide.votes import Kind, VoteRule
from streamer.learn.data.dataset import Dataset
from streamer.learn.measures.scores import Labels
from streamer.learn.measures.threshold_families import ThresholdFamily
from streamer.learn.segments.by_segment import SegmentRoute

_JUDGE_RATES = (*np.arange(0.01, 0.30, 0.01), *np.arange(0.30, 0.96, 0.025))
"""Shares of all tickets that thresholds are set to leave to the judge (we choose)."""

_MOST_WORKERS = 3


@dataclass(frozen=True, slots=True)
class Option:
    """A route, and the price of its workers' answers per ticket (the judge's is 1)."""

    route: SegmentRoute
    price: float


def options(dataset: Dataset, prices: Mapping[str, float]) -> list[Option]:
    """The judge for all, every worker alone, every pair and all three, the cheapest first.

    Of workers with probabilities also with thresholds: Chow's rule for one, mean confidence for
    more, set on these tickets.
    """
    routes = [SegmentRoute((), None)]
    for size in range(1, min(len(dataset.workers), _MOST_WORKERS) + 1):
        for workers in combinations(range(len(dataset.workers)), size):
            routes += [SegmentRoute(workers, rule) for rule in _rules(dataset, workers)]
    choices = [
        Option(route, sum(prices[dataset.workers[index]] for index in route.workers))
        for route in routes
    ]
    return sorted(choices, key=lambda option: option.price)


def _rules(dataset: Dataset, workers: Sequence[int]) -> list[DeferralRule]:
    worker_predictions = [dataset.worker_predictions[index] for index in workers]
    kinds: tuple[Kind, ...] = ("majority", "unanimity") if len(workers) > 2 else ("majority",)
    plain: list[DeferralRule] = [VoteRule(kind, len(workers)) for kind in kinds]
    if any(predictions.probabilities is None for predictions in worker_predictions):
        return plain
    if len(workers) == 1:
        families = [ThresholdFamily("chow", lambda least: Chow(1 - least, 1))]
    else:
        families = [
            ThresholdFamily(kind, partial(VoteRule, kind, len(workers), "mean")) for kind in kinds
        ]
    return plain + [rule for family in families for rule in _thresholds(family, worker_predictions)]


def _thresholds(
    family: ThresholdFamily, worker_predictions: Sequence[Predictions]
) -> list[DeferralRule]:
    sweep = family.sweep(worker_predictions)
    thresholds = {sweep.threshold_for(float(rate)) for rate in _JUDGE_RATES}
    return [
        family.at(threshold)
        for threshold in sorted(threshold for threshold in thresholds if threshold is not None)
    ]


def outcomes(accepted: Labels, judge: Labels) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """[O, N] each, of what stands by each option: who is left to the judge, and who is labelled
    otherwise than by the judge [N].
    """
    asked = accepted == ABSTAINED
    return asked, ~asked & (accepted != judge)
