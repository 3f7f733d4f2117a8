"""Whether shares have left a band, watched at all times, with a stated rate of false alarms.

A test that is looked at again and again until it says what one fears says it sooner or later. This
is an e-detector of Shiryaev-Roberts type: Shin, Ramdas, Rinaldo, "E-detectors: a nonparametric
framework for sequential change detection", 2022. For every moment at which the share may have
changed it bets against "still within the band", and sums the bets' wealth over all such moments.
While the share stays within the band, the sum grows by one per step at most on average, so that it
reaches A after at least A steps on average, wherever in the band the share is and however it moves.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float64 = NDArray[np.float64]

# A bet is the likelihood ratio of a share beyond the band's edge, by these factors on the odds. One
# close by finds small changes in much data, one far off finds large changes at once.
_ODDS = np.array([1.15, 1.4, 2.0, 4.0, 16.0])
# A band that allows nothing at all would be broken for good by a single ticket.
_LEAST = 1e-4
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Evidence:
    """How far a detector has come: the logarithms of its bets' wealth [G, S, 2, B]."""

    wealth: Float64


class EDetector:
    """Watches G groups of S shares each against bands, one step per `after`.

    `low` and `high` [G, S] are the bands' edges. An end at or beyond 0 or 1 is not watched, and a
    group without any edge is never out. A group's sum is the mean over its shares, sides and bets,
    so each group as a whole keeps `run_length`: the mean number of steps between false alarms is at
    least that where every ticket's chance, given those before it, lies within the band. Raises
    `ValueError` for a `run_length` below 1 or edges of other shapes.
    """

    def __init__(self, low: ArrayLike, high: ArrayLike, run_length: float) -> None:
        lows, highs = np.asarray(low, np.float64), np.asarray(high, np.float64)
        if run_length < 1 or lows.shape != highs.shape or lows.ndim != 2:
            raise ValueError("needs edges of one shape [G, S], and a run length of at least 1")
        self._limit = math.log(run_length)
        # For a low edge: misses are above 1 - low, so it is the same bet with both swapped.
        edges = np.stack([highs, 1 - lows], axis=-1)[..., None]
        self._watched = np.broadcast_to(edges < 1, (*edges.shape[:-1], len(_ODDS)))
        edge = np.clip(edges, _LEAST, 1 - _LEAST)
        beyond = 1 / (1 + (1 - edge) / (edge * _ODDS))
        gain, loss = np.log(beyond / edge), np.log((1 - beyond) / (1 - edge))
        self._hit = np.stack([gain[..., 0, :], loss[..., 1, :]], axis=-2)
        self._miss = np.stack([loss[..., 0, :], gain[..., 1, :]], axis=-2)
        bets = self._watched.sum(axis=(1, 2, 3))
        self._bets = np.log(np.maximum(bets, 1))

    def start(self) -> Evidence:
        """Nothing seen."""
        return Evidence(np.full(self._watched.shape, -np.inf))

    def after(self, evidence: Evidence, hits: ArrayLike, totals: ArrayLike) -> Evidence:
        """One step on, with `hits` of `totals` tickets [G, S]; shares of none stay as they were.

        Wealth is capped where one bet alone is enough, which only takes from it: so that evidence
        to the contrary ends an alarm within about the time that it took to raise it.
        """
        hit, total = np.asarray(hits, np.float64), np.asarray(totals, np.float64)
        miss = total - hit
        bets = hit[..., None, None] * self._hit + miss[..., None, None] * self._miss
        grown = bets + np.logaddexp(0.0, evidence.wealth)
        capped = np.minimum(grown, self._limit + self._bets[:, None, None, None])
        moved = self._watched & (total > 0)[..., None, None]
        return Evidence(np.where(moved, capped, evidence.wealth))

    def log_sums(self, evidence: Evidence) -> Float64:
        """The logarithm of each group's sum [G]; -inf before anything is seen."""
        wealth = evidence.wealth.reshape(len(evidence.wealth), -1)
        return np.asarray(np.logaddexp.reduce(wealth, axis=1) - self._bets)

    def out(self, evidence: Evidence, standing: ArrayLike) -> NDArray[np.bool_]:
        """Which groups [G] are out of their band: where the sum is `run_length`, and for those that
        are `standing` [G] already, until it has fallen to the square root of that.
        """
        sums = self.log_sums(evidence)
        stays = np.asarray(standing, np.bool_) & (sums > self._limit / 2)
        return np.asarray((sums >= self._limit - _ROUNDING) | stays)
