"""The paired bootstrap: every rule is measured on the same resampled tickets."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from streamer.decide.distributions import Float64
from streamer.learn.measures.interval import Interval

_CELLS = 2_000_000
"""Tickets times resamples that are held at once: 16 MB."""

Statistic = Callable[[Float64], Float64]


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """`resamples` draws of all tickets with replacement, the same for every statistic."""

    resamples: int = 1000
    seed: int = 20260729

    def of(self, statistic: Statistic, tickets: int) -> Float64:
        """[B, S] of a statistic that turns counts [b, N] of each ticket into values [b, S]."""
        rng = np.random.default_rng(self.seed)
        step = max(1, _CELLS // tickets)
        sizes = [min(step, self.resamples - start) for start in range(0, self.resamples, step)]
        return np.concatenate([statistic(_counts(rng, size, tickets)) for size in sizes])

    def mean(self, values: Float64) -> Interval:
        """Of values [N]."""
        samples = self.of(lambda counts: (counts @ values)[:, None] / len(values), len(values))
        return Interval.of_samples(float(values.mean()), samples[:, 0])


def once(tickets: int) -> Float64:
    """Counts [1, N] of the tickets as they are."""
    return np.ones((1, tickets))


def _counts(rng: np.random.Generator, size: int, tickets: int) -> Float64:
    drawn = rng.integers(tickets, size=(size, tickets)) + np.arange(size)[:, None] * tickets
    flat = np.bincount(drawn.ravel(), minlength=size * tickets)
    return flat.reshape(size, tickets).astype(np.float64)
