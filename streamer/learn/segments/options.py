"""Every way to serve a segment: some workers under a rule, or the judge at once."""

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
    """A way of serving, and the price of its workers' answers per ticket (the judge's is 1)."""

    way: SegmentRoute
    price: float


def options(cases: Dataset, prices: Mapping[str, float]) -> list[Option]:
    """The judge for all, every worker alone, every pair and all three, the cheapest first.

    Of workers with probabilities also with thresholds: Chow's rule for one, mean confidence for
    more, set on these tickets.
    """
    ways = [SegmentRoute((), None)]
    for count in range(1, min(len(cases.workers), _MOST_WORKERS) + 1):
        for places in combinations(range(len(cases.workers)), count):
            ways += [SegmentRoute(places, rule) for rule in _rules(cases, places)]
    found = [Option(way, sum(prices[cases.workers[at]] for at in way.workers)) for way in ways]
    return sorted(found, key=lambda one: one.price)


def _rules(cases: Dataset, places: Sequence[int]) -> list[DeferralRule]:
    worker_predictions = [cases.worker_predictions[at] for at in places]
    kinds: tuple[Kind, ...] = ("majority", "unanimity") if len(places) > 2 else ("majority",)
    plain: list[DeferralRule] = [VoteRule(kind, len(places)) for kind in kinds]
    if any(predictions.probabilities is None for predictions in worker_predictions):
        return plain
    if len(places) == 1:
        dials = [ThresholdFamily("chow", lambda least: Chow(1 - least, 1))]
    else:
        dials = [
            ThresholdFamily(kind, partial(VoteRule, kind, len(places), "mean")) for kind in kinds
        ]
    return plain + [rule for dial in dials for rule in _thresholds(dial, worker_predictions)]


def _thresholds(
    dial: ThresholdFamily, worker_predictions: Sequence[Predictions]
) -> list[DeferralRule]:
    sweep = dial.sweep(worker_predictions)
    found = {sweep.threshold_for(float(rate)) for rate in _JUDGE_RATES}
    return [dial.at(one) for one in sorted(one for one in found if one is not None)]


def outcomes(accepted: Labels, judge: Labels) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """[O, N] each, of what stands by each option: who is left to the judge, and who is labelled
    otherwise than by the judge [N].
    """
    asked = accepted == ABSTAINED
    return asked, ~asked & (accepted != judge)
