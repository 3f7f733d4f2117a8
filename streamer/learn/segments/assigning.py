"""Which workers and rule serve each segment best at a wished cost."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.decide.by_segment import Way, accepted_by_segment
from streamer.learn.cases import Cases
from streamer.learn.scores import Labels
from streamer.learn.segments.options import Option, options, outcomes

LEAST = 100
"""Judged tickets of a segment below which it is served like all others (we choose)."""

SHRINKAGE = 50
"""Tickets of the whole stream that count beside a segment's own (we choose)."""

_MULTIPLIERS = (0.0, *np.geomspace(1e-3, 1e3, 400).tolist())

Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Assignment:
    """The way of every segment by its place, and `general` for all that have none.

    `price` is that of a ticket on average, on the tickets that chose, as a share of a verdict's.
    """

    ways: Mapping[int, Way]
    general: Way
    price: float

    def accepted(self, cases: Cases, places: Labels) -> Labels:
        """[N]: the label that stands without the judge, or -1."""
        return accepted_by_segment(places, self.ways, self.general, cases.opinions)

    def unrouted(self, cases: Cases) -> Labels:
        """The same with one way for all."""
        return self.general.accepted(cases.opinions)


def assign(
    cases: Cases, places: Labels, segments: int, prices: Mapping[str, float], budget: float
) -> Assignment:
    """The ways whose published labels differ from the judge's least often, for at most `budget`
    per ticket: the price of the workers' answers, and 1 for every verdict.

    `cases` [N] are judged tickets of the uniform stratum, `places` [N] their segments, -1 for none.
    `general` is the best single way. A segment's figures are shrunk to those of all tickets, and
    one with few tickets takes the general way. Ways are found by a Lagrange multiplier on the
    price; one way for all is tried as well, so that by the tickets that chose, routing is never
    worse. A budget that not even one way meets is met as nearly as can be. Raises `ValueError` for
    no tickets.
    """
    if not len(cases):
        raise ValueError("no judged tickets to choose by")
    found = options(cases, prices)
    asked, differs = outcomes(found, cases)
    answers = np.array([one.price for one in found])
    overall = _Figures(differs.mean(axis=1)[None], asked.mean(axis=1)[None] + answers)
    general = int(overall.best_single(np.ones(1), budget))
    apart = [place for place in range(segments) if (places == place).sum() >= LEAST]
    if not apart:
        return _assignment(found, {}, general, float(overall.prices[0, general]))
    # What has no way of its own is one more row, whose way is fixed.
    masks = [places == place for place in apart]
    rest = ~np.any(masks, axis=0)
    shares = np.array([mask.mean() for mask in (*masks, rest)])
    own = [overall.shrunk(differs[:, m], asked[:, m], answers) for m in masks]
    figures = _Figures(
        np.vstack([*(one.differs for one in own), overall.differs]),
        np.vstack([*(one.prices for one in own), overall.prices]),
    )
    picks = figures.best(shares, budget, general)
    ways = {place: picks[at] for at, place in enumerate(apart)}
    return _assignment(found, ways, general, figures.total(figures.prices, picks, shares))


@dataclass(frozen=True, slots=True)
class _Figures:
    """[S, O]: how often a segment's labels would differ under an option, and its price."""

    differs: Float64
    prices: Float64

    def shrunk(
        self, differs: NDArray[np.bool_], asked: NDArray[np.bool_], answers: Float64
    ) -> "_Figures":
        """Of a segment's tickets [O, M], drawn to these figures of all tickets."""
        count = differs.shape[1] + SHRINKAGE
        return _Figures(
            (differs.sum(axis=1) + SHRINKAGE * self.differs) / count,
            (asked.sum(axis=1) + SHRINKAGE * (self.prices - answers)) / count + answers,
        )

    def best_single(self, shares: Float64, budget: float) -> int:
        """The option for all rows that differs least within the budget, else the cheapest."""
        differs, prices = shares @ self.differs, shares @ self.prices
        within = np.flatnonzero(prices <= budget + 1e-12)
        return int(within[differs[within].argmin()] if len(within) else prices.argmin())

    def best(self, shares: Float64, budget: float, general: int) -> list[int]:
        """An option for every row; the last row's is `general`."""
        tried = [[general] * len(shares)]
        tried += [
            [*(self.differs + one * self.prices)[:-1].argmin(axis=1).tolist(), general]
            for one in _MULTIPLIERS
        ]
        price = [self.total(self.prices, picks, shares) for picks in tried]
        limit = max(budget, price[0]) + 1e-12
        within = [picks for picks, one in zip(tried, price, strict=True) if one <= limit]
        return min(within, key=lambda picks: self.total(self.differs, picks, shares))

    def total(self, values: Float64, picks: list[int], shares: Float64) -> float:
        # Rounded, so that the last bit of a sum decides between no two ways that are alike.
        return round(float(shares @ values[np.arange(len(picks)), picks]), 12)


def _assignment(
    found: list[Option], ways: Mapping[int, int], general: int, price: float
) -> Assignment:
    named = {place: found[at].way for place, at in ways.items()}
    return Assignment(named, found[general].way, price)
