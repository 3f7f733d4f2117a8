"""Random ballots: workers that answer, abstain, give labels only or are out, under any rule."""

from dataclasses import dataclass
from typing import get_args

import numpy as np

from streamer.decide.chow import Chow
from streamer.decide.deferral_rule import DeferralRule
from streamer.decide.predictions import Predictions
from streamer.decide.router import Router
from streamer.decide.temperature import tempered
from streamer.decide.thresholded_rule import ThresholdedRule
from streamer.decide.votes import Measure, VoteRule
from streamer.records.calibration import RouterWeights

LABELS = 4
KINDS = ("majority", "unanimity")
MEASURES = get_args(Measure)


@dataclass(frozen=True)
class DrawnBallots:
    """What some workers said of N tickets, tempered, and who of them was out; the rules of R
    segments, which differ in a threshold alone, and the segment of each ticket.
    """

    rules: tuple[DeferralRule, ...]
    rule_index: np.ndarray
    raw: tuple[Predictions, ...]
    out: tuple[bool, ...]

    @property
    def rule(self) -> DeferralRule:
        return self.rules[0]

    @property
    def thresholded(self) -> ThresholdedRule:
        return ThresholdedRule.of(self.rules, np.full((len(self.rules), self.rule.of), np.nan))

    def outage(self, asked: int) -> bool:
        there = [not out for out in self.out[:asked]]
        return not self.rule.decidable(there + [True] * (self.rule.of - asked))


def ballots(rng: np.random.Generator) -> DrawnBallots:
    of, count = int(rng.integers(1, 4)), int(rng.integers(1, 13))
    rules = _rules(rng, of)
    out = tuple(rng.random(of) < 0.15)
    raw = tuple(Predictions.none(count) if absent else _worker(rng, count) for absent in out)
    return DrawnBallots(rules, rng.integers(len(rules), size=count), raw, out)


def _rules(rng: np.random.Generator, of: int) -> tuple[DeferralRule, ...]:
    thresholds = rng.choice([0.0, 0.3, 0.5, 0.75, 0.9, 1.0], size=int(rng.integers(1, 4)))
    kind, measure = KINDS[rng.integers(2)], MEASURES[rng.integers(len(MEASURES))]
    match rng.integers(5):
        case 0 | 1:
            return (VoteRule(kind, of),)
        case 2:
            return tuple(VoteRule(kind, of, measure, float(at)) for at in thresholds)
        case 3:
            worker = None if rng.random() < 0.5 else int(rng.integers(of))
            return tuple(Chow(float(at), of, worker) for at in thresholds)
        case _:
            return (router(rng, of),)


def router(rng: np.random.Generator, of: int) -> Router:
    signals = 1 + 2 * of + of * (of - 1) // 2
    weights = RouterWeights(
        tuple(rng.uniform(0.2, 1, of)),
        0.3,
        tuple(rng.normal(size=signals)),
        tuple(rng.normal(size=LABELS)),
    )
    return Router(weights, float(rng.uniform()))


def _worker(rng: np.random.Generator, count: int) -> Predictions:
    if rng.random() < 0.15:
        return Predictions(rng.integers(-1, LABELS, size=count), None)
    # Few values, so that workers agree, tie and meet thresholds; sharp or flat.
    raw = rng.choice([0.05, 0.1, 0.4, 0.8, 3.0], size=(count, LABELS)) ** rng.choice([0.5, 1, 3])
    raw = (raw / raw.sum(axis=1, keepdims=True)).astype(np.float32)
    raw[rng.random(count) < 0.1] = rng.choice([np.nan, 0.9, 0.0])
    return tempered(Predictions.of(raw), 1.0)


def judge(rng: np.random.Generator, count: int) -> Predictions:
    """Verdicts on all of the tickets, now and then without probabilities."""
    if rng.random() < 0.1:
        return Predictions(rng.integers(LABELS, size=count), None)
    raw = rng.dirichlet(np.full(LABELS, 0.4), size=count).astype(np.float32)
    return tempered(Predictions.of(raw), 1.0)
