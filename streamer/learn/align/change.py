"""A share before and after, on the same tickets."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.decide.distributions import Float64
from streamer.learn.measures.bootstrap import Bootstrap, once
from streamer.learn.measures.interval import Interval


@dataclass(frozen=True, slots=True)
class Change:
    """Each with its 95 % interval; that of the `difference` is of the paired bootstrap."""

    before: Interval
    after: Interval
    difference: Interval

    @property
    def sign(self) -> int:
        """1 or -1 where the whole interval of the difference lies on one side of 0, else 0."""
        return int(self.difference.low > 0) - int(self.difference.high < 0)


Part = NDArray[np.bool_] | Float64


def change(before: tuple[Part, Part], after: tuple[Part, Part]) -> Change:
    """Of two ratios, each the sum of a numerator [N] over that of a denominator [N]; NaN where the
    denominator is 0.
    """
    columns = np.array([*before, *after], np.float64)

    def ratios(counts: Float64) -> Float64:
        sums = counts @ columns.T
        with np.errstate(invalid="ignore", divide="ignore"):
            first, second = sums[:, 0] / sums[:, 1], sums[:, 2] / sums[:, 3]
        return np.stack([first, second, second - first], axis=1)

    tickets = columns.shape[1]
    if not tickets:
        return Change(*[Interval(np.nan, np.nan, np.nan, 0)] * 3)
    values = ratios(once(tickets))[0].tolist()
    samples = Bootstrap().of(ratios, tickets)
    pairs = zip(values, samples.T, strict=True)
    return Change(*(Interval.of_samples(value, each) for value, each in pairs))


def mean_change(before: Part, after: Part) -> Change:
    """Of the means of two values of each ticket, [N]."""
    all_of_them = np.ones(len(before))
    return change((before, all_of_them), (after, all_of_them))
