"""Deferral curves: how good the labels are when a share of the tickets goes to the judge."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from streamer.learn.evaluation.ranking import Path, Ranking
from streamer.learn.measures.bootstrap import Bootstrap, once
from streamer.learn.measures.interval import Interval

_POINTS = 240
"""More than any rule after the judge has settings."""

Measure = Literal["accuracy", "agreement with the judge"]


@dataclass(frozen=True, slots=True)
class Curve:
    """Quality over judge rate, from 1 down to the lowest rate that a threshold leads to.

    `audc` is the area under the curve over all rates from 0 to 1. `ranking` is the same beside
    random deferral (0) and the oracle (1) of this family's own labels: how good its order is, while
    the area also counts how good its labels are. A `fixed` rule has a single point, the last.
    """

    name: str
    rates: tuple[float, ...]
    quality: tuple[float, ...]
    audc: Interval
    ranking: float
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Deferral:
    """The curves of all families by one measure of quality.

    `random` and `oracle` are the baselines. The oracle knows which family's label is right on which
    ticket, so no rule lies above it.
    """

    measure: Measure
    judge: float
    curves: tuple[Curve, ...]
    random: Curve
    oracle: Curve


def deferral(
    measure: Measure, rankings: Mapping[str, Ranking], fixed: set[str], bootstrap: Bootstrap
) -> Deferral:
    """Of at least one ranking of the same tickets; the first is that of the random line."""
    first = next(iter(rankings.values()))
    random, oracle = first.random(), _best_of(list(rankings.values())).oracle()
    return Deferral(
        measure,
        float(first.judge_right.mean()),
        tuple(curve(name, each, bootstrap, name in fixed) for name, each in rankings.items()),
        curve("random", random, bootstrap),
        curve("oracle", oracle, bootstrap),
    )


def curve(name: str, ranking: Ranking, bootstrap: Bootstrap, fixed: bool = False) -> Curve:
    """One family's."""
    tickets = len(ranking.order)
    path = ranking.path(once(tickets))
    area = float(path.area[0])
    samples = bootstrap.of(lambda counts: ranking.path(counts).area[:, None], tickets)
    low, high = (_area(each) for each in (ranking.random(), ranking.oracle()))
    rates, quality = _thinned(path.led(ranking.reach))
    return Curve(
        name,
        rates,
        quality,
        Interval.of_samples(area, samples[:, 0]),
        (area - low) / (high - low) if high > low else float("nan"),
        fixed,
    )


def _area(ranking: Ranking) -> float:
    return float(ranking.path(once(len(ranking.order))).area[0])


def _best_of(rankings: list[Ranking]) -> Ranking:
    """The most that any family gains on each ticket, in ticket order."""
    gains = np.stack([ranking.gain[np.argsort(ranking.order)] for ranking in rankings])
    count = gains.shape[1]
    order, right = np.arange(count), rankings[0].judge_right
    return Ranking(order, np.array([count]), gains.max(axis=0), right, 0.0)


def _thinned(path: Path) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """At most 240 points, the last among them."""
    count = path.rates.shape[1]
    picks = np.unique(np.linspace(0, count - 1, min(count, _POINTS)).astype(np.int64))
    return tuple(path.rates[0, picks].tolist()), tuple(path.quality[0, picks].tolist())
