"""Families of rules with one threshold each: what a calibration can turn."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from streamer.decide.chow import Chow
from streamer.decide.decision import Decision
from streamer.decide.deferral_rule import DeferralRule
from streamer.decide.predictions import ABSTAINED, Predictions
from streamer.decide.rounding import at_least, rounded
from streamer.decide.router import Router
from streamer.decide.votes import Kind, Measure, VoteRule
from streamer.learn.measures.scores import Labels
from streamer.records.calibration import RouterWeights

_SETTINGS = 60
_DECIMALS = 7
NEVER = -1.0

Thresholds = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ThresholdFamily:
    """A family; `at(t)` accepts what is at least t sure, from 0 to 1. A `fixed` one ignores t."""

    name: str
    at: Callable[[float], DeferralRule]
    fixed: bool = False

    def sweep(self, worker_predictions: Sequence[Predictions]) -> "Sweep":
        """All settings at once, on N tickets."""
        decision = self.at(0.0).decide(worker_predictions)
        if self.fixed:
            decision = replace(decision, confidence=np.ones(len(decision.label_ids)))
        return Sweep.of(decision)


@dataclass(frozen=True, slots=True)
class Sweep:
    """The label [N] that a family would accept, and the largest threshold [N] at which it does.

    Without a label that is `NEVER`.
    """

    label_ids: Labels
    confidence: NDArray[np.float64]

    @classmethod
    def of(cls, loosest: Decision) -> "Sweep":
        """From the decision with the threshold 0: its confidence is the measure itself.

        Rounded, as rules compare it, or two settings would differ here that are one when served.
        """
        never = loosest.label_ids == ABSTAINED
        return cls(loosest.label_ids, np.where(never, NEVER, rounded(loosest.confidence)))

    def accepted(self, threshold: float) -> NDArray[np.bool_]:
        return at_least(self.confidence, threshold)

    def thresholds(self) -> Thresholds:
        """Up to 60 settings, from the judge's most work to the least, evenly spaced by tickets.

        They lie half-way between values that occur, so that no rounding moves a ticket.
        """
        confidences = np.sort(self.confidence[self.confidence != NEVER])[::-1]
        if not len(confidences):
            return np.zeros(1)
        picks = confidences[np.linspace(0, len(confidences) - 1, _SETTINGS).astype(np.int64)]
        return np.unique(self._just_below(picks))[::-1]

    def threshold_for(self, judge_rate: float) -> float | None:
        """The largest threshold that defers at most this share, or None where no one does."""
        falling = np.sort(self.confidence)[::-1]
        least = falling[math.ceil((1 - judge_rate) * len(falling)) - 1]
        return None if least == NEVER else float(self._just_below(least))

    def _just_below(self, values: Thresholds) -> Thresholds:
        occurring = np.unique(self.confidence)
        indexes = np.searchsorted(occurring, values)
        below = np.where(indexes > 0, occurring[indexes - 1], 0.0)
        return np.asarray(np.round(np.maximum((values + below) / 2, 0.0), _DECIMALS))


def threshold_families(workers: int, router: RouterWeights | None) -> list[ThresholdFamily]:
    """Every family for `workers` workers, the cheapest to serve first.

    Without a `router`, as where workers give labels only, there are plain votes alone.
    """
    kinds: tuple[Kind, ...] = get_args(Kind) if workers > 1 else ()
    families = [ThresholdFamily(kind, partial(_plain, kind, workers), fixed=True) for kind in kinds]
    if router is None:
        return families
    families += [
        ThresholdFamily(f"{kind} {measure}", partial(VoteRule, kind, workers, measure))
        for kind in kinds
        for measure in get_args(Measure)
    ]
    families.append(ThresholdFamily("chow", partial(_chow, workers, None)))
    if workers > 1:
        families += [
            ThresholdFamily(f"chow {index}", partial(_chow, workers, index))
            for index in range(workers)
        ]
    return [*families, ThresholdFamily("router", partial(_router, router))]


def _plain(kind: Kind, workers: int, threshold: float) -> DeferralRule:
    return VoteRule(kind, workers)


def _chow(workers: int, worker: int | None, threshold: float) -> DeferralRule:
    return Chow(1 - threshold, workers, worker)


def _router(weights: RouterWeights, threshold: float) -> DeferralRule:
    return Router(weights, 1 - threshold)
