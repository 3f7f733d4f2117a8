"""Rules beside each other at equal judge rate, and never at equal alpha."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from streamer.decide.distributions import Float64
from streamer.learn.evaluation.ranking import Ranking
from streamer.learn.measures.bootstrap import Bootstrap, once
from streamer.learn.measures.interval import Interval

_RATES = (0.05, 0.10, 0.15, 0.20, 0.30)
_FEWER = 2 / 3


@dataclass(frozen=True, slots=True)
class Comparison:
    """A family at a judge rate, and its lead in quality over a plain rule or the judge.

    Beside a plain rule the rate is that rule's own, in every resample, times `share`.
    """

    family: str
    against: str
    share: float
    judge_rate: float
    quality: float
    lead: Interval


def with_judge(
    rankings: Mapping[str, Ranking], plain: Sequence[str], bootstrap: Bootstrap
) -> list[Comparison]:
    """Every other family at five judge rates beside the judge on all, where it leads there."""
    return [
        comparison
        for name, ranking in rankings.items()
        if name not in plain
        for comparison in _beside_judge(name, ranking, bootstrap)
    ]


def with_plain(
    rankings: Mapping[str, Ranking], plain: Sequence[str], bootstrap: Bootstrap
) -> list[Comparison]:
    """Every other family beside each plain rule, at its judge rate and at two thirds of it.

    Those that lead no further down than the plain rule are left out: at its rate they are it.
    """
    comparisons = []
    for rule in plain:
        for name, ranking in rankings.items():
            for share in (1.0, _FEWER):
                rate = share * rankings[rule].reach
                if name not in plain and ranking.reach < rate - 1e-9:
                    comparisons.append(_beside_plain(name, rule, share, rankings, bootstrap))
    return comparisons


def _beside_judge(name: str, ranking: Ranking, bootstrap: Bootstrap) -> list[Comparison]:
    tickets = len(ranking.order)
    rates = np.array([rate for rate in _RATES if rate >= ranking.reach - 1e-9])

    def lead(counts: Float64) -> Float64:
        path = ranking.path(counts)
        return path.at(np.tile(rates, (len(counts), 1))) - path.quality[:, :1]

    if not len(rates):
        return []
    value, samples = lead(once(tickets))[0], bootstrap.of(lead, tickets)
    judge = float(ranking.judge_right.mean())
    return [
        Comparison(
            name,
            "judge",
            1.0,
            float(rate),
            judge + float(value[index]),
            Interval.of_samples(float(value[index]), samples[:, index]),
        )
        for index, rate in enumerate(rates)
    ]


def _beside_plain(
    name: str, rule: str, share: float, rankings: Mapping[str, Ranking], bootstrap: Bootstrap
) -> Comparison:
    ranking, other = rankings[name], rankings[rule]
    tickets = len(ranking.order)
    # The plain rule's single point: it accepts all that it is sure of.
    index = int(np.searchsorted(np.append(0, other.ends), round((1 - other.reach) * tickets)))

    def both(counts: Float64) -> Float64:
        plain = other.path(counts)
        rates, quality = plain.rates[:, index], plain.quality[:, index]
        mine = ranking.path(counts).at(share * rates[:, None])[:, 0]
        return np.stack([mine, mine - quality], axis=1)

    value, samples = both(once(tickets))[0], bootstrap.of(both, tickets)
    lead = Interval.of_samples(float(value[1]), samples[:, 1])
    return Comparison(name, rule, share, share * other.reach, float(value[0]), lead)
