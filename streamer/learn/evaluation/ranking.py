"""In which order a family of rules lets tickets pass the judge, and what that is worth."""

from dataclasses import dataclass

import numpy as np

from streamer.decide.distributions import Float64
from streamer.learn.measures.scores import Labels
from streamer.learn.measures.threshold_families import NEVER, Sweep


@dataclass(frozen=True, slots=True)
class Path:
    """From judge-all to judge-none, for B resamples: judge rate and quality, each [B, G + 1]."""

    rates: Float64
    quality: Float64

    def at(self, rates: Float64) -> Float64:
        """The quality at judge rates [B, R]: between two thresholds a draw decides."""
        rows = zip(rates, self.rates[:, ::-1], self.quality[:, ::-1], strict=True)
        return np.stack([np.interp(wanted, rate, quality) for wanted, rate, quality in rows])

    def led(self, reach: float) -> "Path":
        """Only the points that a threshold leads to: below a `reach` over 0 there is one more."""
        last = -1 if reach > 0 else None
        return Path(self.rates[:, :last], self.quality[:, :last])

    @property
    def area(self) -> Float64:
        """[B]: the mean quality over all judge rates, by trapezoids."""
        return np.asarray(-np.trapz(self.quality, self.rates, axis=1))


@dataclass(frozen=True, slots=True)
class Ranking:
    """N tickets of one family of rules, the surest first.

    `order` [N] are their rows; after each of the `ends` [G] the confidence falls, and tickets
    between two ends can't be told apart. `gain` [N], in that order, is +1 where the workers' label
    is right and the judge's wrong, -1 where it is the other way round. Below the judge rate `reach`
    no threshold leads: there we go on in no order with the label that most workers name, so that
    areas under all curves compare.
    """

    order: Labels
    ends: Labels
    gain: Float64
    judge_right: Float64
    reach: float

    @classmethod
    def of(cls, sweep: Sweep, fallback: Labels, judge: Labels, truth: Labels) -> "Ranking":
        """Labels [N] each."""
        named = np.where(sweep.confidence == NEVER, fallback, sweep.label_ids)
        order = np.argsort(-sweep.confidence, kind="stable")
        falling = sweep.confidence[order]
        ends = np.append(np.flatnonzero(np.diff(falling)) + 1, len(order))
        judge_right = (judge == truth).astype(np.float64)
        gain = (named == truth) - judge_right
        never = float((sweep.confidence == NEVER).mean())
        return cls(order, ends, gain[order], judge_right, never)

    def path(self, counts: Float64) -> Path:
        """For counts [B, N] of each ticket."""
        total = counts.sum(axis=1, keepdims=True)
        sorted_counts = counts[:, self.order]
        passed = self._sums(sorted_counts)
        gained = self._sums(sorted_counts * self.gain)
        judged = (counts @ self.judge_right)[:, None]
        return Path(1 - passed / total, (judged + gained) / total)

    def oracle(self) -> "Ranking":
        """The best order for the same labels: worker right and judge wrong first, the other way
        round last.
        """
        best = np.argsort(-self.gain, kind="stable")
        gain = self.gain[best]
        ends = np.append(np.flatnonzero(np.diff(gain)) + 1, len(gain))
        return Ranking(self.order[best], ends, gain, self.judge_right, 0.0)

    def random(self) -> "Ranking":
        """No order at all: a straight line from judge to workers."""
        return Ranking(self.order, self.ends[-1:], self.gain, self.judge_right, 0.0)

    def _sums(self, values: Float64) -> Float64:
        sums = np.cumsum(values, axis=1)[:, self.ends - 1]
        return np.concatenate([np.zeros((len(values), 1)), sums], axis=1)
