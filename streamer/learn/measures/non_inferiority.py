"""Whether one of two is at most a margin worse on the same tickets: an exact test."""

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import binom, norm

from streamer.learn.measures.exact_tests import lower_bound
from streamer.learn.measures.interval import Interval

METHOD = (
    "fixed-sequence testing (Bauer 1991) with exact unconditional tests of paired shares: score"
    " statistic (Tango 1998), worst case within an interval of the share of differing tickets"
    " (Berger and Boos 1994)"
)
POWER = 0.8
OUTSIDE = 0.001
"""The chance that the interval of the nuisance share misses it, which is added to the p-value."""
_NUISANCES = 48
_TAIL = 1e-9

Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PairedCounts:
    """Of N tickets one alone was right on `gained`, the other alone on `lost`.

    By `lead` the share of the one is larger; NaN of none.
    """

    of: int
    gained: int
    lost: int

    @property
    def lead(self) -> float:
        return (self.gained - self.lost) / self.of if self.of else float("nan")

    def chance(self, least: float) -> float:
        """The p-value of a lead of `least` (-1 to 1) or less: exact for any share of tickets on
        which the two differ. 1 of none.
        """
        if not self.of:
            return 1.0
        differ, surely = self.gained + self.lost, 1 - OUTSIDE / 2
        low = max(abs(least), lower_bound(differ, self.of, surely))
        high = max(low, 1 - lower_bound(self.of - differ, self.of, surely))
        shares = np.linspace(low, min(high, 1.0), _NUISANCES)
        fewest, most = binom.ppf([_TAIL, 1 - _TAIL], self.of, [shares[0], shares[-1]])
        counts = np.arange(int(fewest), int(most) + 1)
        needed = self._needed(counts, least)
        theta = np.clip((1 + least / np.maximum(shares, 1e-12)) / 2, 0, 1)
        reached = binom.sf(needed[None, :] - 1, counts[None, :], theta[:, None])
        weights = binom.pmf(counts[None, :], self.of, shares[:, None])
        return float(min(1.0, (weights * reached).sum(axis=1).max() + OUTSIDE + 2 * _TAIL))

    def bound(self, confidence: float) -> float:
        """The lower bound of the lead, which it exceeds with this confidence; -1 of none."""
        if not self.of:
            return -1.0
        most, step = self.lead, 4 * (1 + (self.gained + self.lost) ** 0.5) / self.of
        while self.chance(most - step) > 1 - confidence:
            most, step = most - step, 2 * step
            if most - step <= -1:
                return -1.0

        def excess(least: float) -> float:
            return self.chance(least) - (1 - confidence)

        return float(brentq(excess, most - step, most, xtol=1e-6))

    @property
    def interval(self) -> Interval:
        """The lead with its exact interval of 95 %."""
        other = PairedCounts(self.of, self.lost, self.gained)
        return Interval(self.lead, self.bound(0.975), -other.bound(0.975), self.of)

    def tickets_for_superiority(self, confidence: float) -> int | None:
        """How many tickets it would take to show a lead over 0 in 80 % of logs, were the shares
        these (normal approximation); None without a lead.
        """
        if not self.gained > self.lost:
            return None
        spread = (self.gained + self.lost) / self.of - self.lead**2
        steps = norm.ppf(confidence) + norm.ppf(POWER)
        return ceil(float(steps**2 * spread / self.lead**2))

    def _needed(self, counts: NDArray[np.int64], least: float) -> NDArray[np.int64]:
        """For each number of differing tickets: how many must be gained to look as good as this."""
        seen = float(_scores(np.array(self.gained), np.array(self.lost), self.of, least))
        low, high = np.zeros_like(counts), counts + 1
        while (searched := low < high).any():
            middle = (low + high) // 2
            as_good = _scores(middle, counts - middle, self.of, least) >= seen - 1e-9
            high = np.where(searched & as_good, middle, high)
            low = np.where(searched & ~as_good, middle + 1, low)
        return low


def _scores(gained: NDArray[np.int64], lost: NDArray[np.int64], of: int, least: float) -> Float64:
    """Tango's: the lead beyond `least` over its standard error, were that the true lead."""
    linear = -gained - lost + (2 * of - gained + lost) * least
    constant = -lost * least * (1 - least)
    loss = (np.sqrt(np.maximum(linear**2 - 8 * of * constant, 0)) - linear) / (4 * of)
    variance = np.maximum(of * (2 * loss + least * (1 - least)), 1e-12)
    return np.asarray((gained - lost - of * least) / np.sqrt(variance))
