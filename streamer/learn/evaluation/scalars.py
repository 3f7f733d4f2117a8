"""Cost against quality, relative to asking the judge alone.

Two numbers sum a curve up, as Table 2 of "Faster Cascades via Speculative Decoding" (arXiv
2405.19261) does by secondary accounts: what is saved at the judge's quality, and how good the
labels get for no more than the judge's price.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from streamer.decide.distributions import Float64
from streamer.learn.evaluation.ranking import Ranking
from streamer.learn.measures.bootstrap import Bootstrap, once
from streamer.learn.measures.interval import Interval


@dataclass(frozen=True, slots=True)
class Worth:
    """`lowest` relative price at no less than the judge's quality; `best` quality at no more than
    the judge's price.

    A price over 1 says that the family saves nothing. Both are chosen on the tickets that they are
    measured on, in every resample anew: they say what is there, and are no promise.
    """

    family: str
    workers: float
    lowest: Interval
    best: Interval


def costs(asked: Float64, relative: Sequence[float]) -> Float64:
    """[N]: the workers' price per ticket in units of the judge's; those `asked` [W, N] add up."""
    return np.asarray(np.array(relative) @ asked)


def latencies(asked: Float64, relative: Sequence[float]) -> Float64:
    """[N]: the same in time. Workers are asked at once, and a third that can wait after them."""
    waits = (asked.min(axis=1) < 1) & (asked.max(axis=1) > 0)
    times = np.array(relative)[:, None] * asked
    return np.asarray(times[~waits].max(axis=0, initial=0) + times[waits].sum(axis=0))


def worths(
    rankings: Mapping[str, Ranking], prices: Mapping[str, Float64], bootstrap: Bootstrap
) -> list[Worth]:
    """Of every family; `prices` [N] are its workers' per ticket."""
    return [_worth(name, rankings[name], prices[name], bootstrap) for name in rankings]


def _worth(name: str, ranking: Ranking, price: Float64, bootstrap: Bootstrap) -> Worth:
    tickets = len(ranking.order)

    def both(counts: Float64) -> Float64:
        path = ranking.path(counts).led(ranking.reach)
        spent = (counts @ price)[:, None] / counts.sum(axis=1, keepdims=True) + path.rates
        # Sums of counts are whole: what lies within rounding of the judge's quality is equal.
        good = path.quality >= path.quality[:, :1] - 1e-9
        lowest = np.where(good, spent, np.inf).min(axis=1)
        best = np.where(spent <= 1 + 1e-9, path.quality, -np.inf).max(axis=1)
        return np.stack([lowest, np.where(np.isfinite(best), best, np.nan)], axis=1)

    value, samples = both(once(tickets))[0].tolist(), bootstrap.of(both, tickets)
    lowest, best = (Interval.of_samples(value[column], samples[:, column]) for column in (0, 1))
    return Worth(name, float(price.mean()), lowest, best)
