"""Which workers and rule serve each segment best at a wished cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from streamer.decide.predictions import Predictions
from streamer.decide.temperature import tempered
from streamer.learn.calibrate.temperature import fit_temperature
from streamer.learn.data.dataset import Dataset
from streamer.learn.measures.scores import Labels
from streamer.learn.segments.by_segment import SegmentRoute, accepted_by_segment
from streamer.learn.segments.options import Option, options, outcomes

LEAST = 100
"""Judged tickets of a segment below which it is served like all others (we choose)."""

SHRINKAGE = 50
"""Tickets of the whole stream that count beside a segment's own (we choose)."""

_MULTIPLIERS = (0.0, *np.geomspace(1e-3, 1e3, 400).tolist())

Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Assignment:
    """The way of every segment that has one, by its place, and `general` for all that have none.

    `price` is that of a ticket on average, on the tickets that chose, as a share of a verdict's.
    """

    ways: Mapping[int, SegmentRoute]
    general: SegmentRoute
    price: float

    def accepted(self, cases: Dataset, places: Labels) -> Labels:
        """[N] of raw opinions: the label that stands without the judge, or -1."""
        return accepted_by_segment(places, self.ways, self.general, cases.worker_predictions)

    def unrouted(self, cases: Dataset) -> Labels:
        """The same with one way for all."""
        return self.general.accepted(cases.worker_predictions)


def assign(
    cases: Dataset,
    places: Labels,
    segments: int,
    prices: Mapping[str, float],
    budget: float,
    general: SegmentRoute | None = None,
) -> Assignment:
    """The ways whose published labels differ from the judge's least often, for at most `budget`
    per ticket: the price of the workers' answers, and 1 for every verdict.

    `cases` [N] are judged tickets of the uniform stratum with raw opinions, `places` [N] their
    segments, -1 for none. `general` serves all others; by default it is the best single way. Every
    segment has temperatures of its own, fitted to the judge's labels. Its figures are shrunk to
    those of all tickets, and one with few tickets takes the general way. Ways are found by a
    Lagrange multiplier on the price; the general way for all is tried as well: where it keeps the
    budget, routing is never worse by the shrunk figures of the tickets that chose. A budget that
    can't be met is met as nearly as can be. Raises `ValueError` for no tickets.
    """
    if not len(cases):
        raise ValueError("no judged tickets to choose by")
    general = general or _best_single(cases, prices, budget)
    apart = [place for place in range(segments) if (places == place).sum() >= LEAST]
    heat = {place: _temperatures(cases[np.flatnonzero(places == place)]) for place in apart}
    warm = _warm(cases, places, heat)
    found = options(warm, prices)
    # The general way comes first: of ways that are alike, it is taken.
    stands = np.vstack([general.accepted(cases.worker_predictions), _decided(found, warm)])
    asked, differs = outcomes(stands, cases.judge.label_ids)
    answers = np.array([_price(general, cases, prices), *(one.price for one in found)])
    overall = _Figures(differs.mean(axis=1)[None], asked.mean(axis=1)[None] + answers)
    if not apart:
        return Assignment({}, general, float(overall.prices[0, 0]))
    # What has no way of its own is one more row, whose way is fixed.
    masks = [places == place for place in apart]
    shares = np.array([mask.mean() for mask in (*masks, ~np.any(masks, axis=0))])
    own = [overall.shrunk(differs[:, m], asked[:, m], answers) for m in masks]
    figures = _Figures(
        np.vstack([*(one.differs for one in own), overall.differs]),
        np.vstack([*(one.prices for one in own), overall.prices]),
    )
    picks = figures.best(shares, budget)
    ways = {
        place: _at(found[pick - 1].way, heat[place])
        for place, pick in zip(apart, picks, strict=False)
        if pick
    }
    return Assignment(ways, general, figures.total(figures.prices, picks, shares))


def _best_single(cases: Dataset, prices: Mapping[str, float], budget: float) -> SegmentRoute:
    heat = _temperatures(cases)
    warm = _warm(cases, np.zeros(len(cases), np.int64), {0: heat})
    found = options(warm, prices)
    asked, differs = outcomes(_decided(found, warm), cases.judge.label_ids)
    price = asked.mean(axis=1) + [one.price for one in found]
    figures = _Figures(differs.mean(axis=1)[None], price[None])
    return _at(found[figures.best_single(np.ones(1), budget)].way, heat)


def _temperatures(cases: Dataset) -> tuple[float, ...]:
    return tuple(
        fit_temperature(one, cases.judge.label_ids).temperature for one in cases.worker_predictions
    )


def _warm(cases: Dataset, places: Labels, heat: Mapping[int, tuple[float, ...]]) -> Dataset:
    """With the opinions on every segment at its temperatures, where it has any."""
    worker_predictions = list(cases.worker_predictions)
    for place, temperatures in heat.items():
        rows = np.flatnonzero(places == place)
        for at, temperature in enumerate(temperatures):
            worker_predictions[at] = _replaced(worker_predictions[at], rows, temperature)
    return replace(cases, worker_predictions=tuple(worker_predictions))


def _replaced(predictions: Predictions, rows: Labels, temperature: float) -> Predictions:
    if predictions.probabilities is None:
        return predictions
    some = tempered(predictions[rows], temperature)
    label_ids, probabilities = predictions.label_ids.copy(), predictions.probabilities.copy()
    label_ids[rows], probabilities[rows] = some.label_ids, some.probabilities
    return Predictions(label_ids, probabilities)


def _decided(found: Sequence[Option], warm: Dataset) -> Labels:
    return np.array([one.way.decided(warm.worker_predictions) for one in found])


def _at(way: SegmentRoute, heat: Sequence[float]) -> SegmentRoute:
    return replace(way, temperatures=tuple(heat[at] for at in way.workers))


def _price(way: SegmentRoute, cases: Dataset, prices: Mapping[str, float]) -> float:
    return sum(prices[cases.workers[at]] for at in way.workers)


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

    def best(self, shares: Float64, budget: float) -> list[int]:
        """An option for every row; the last row's is the general one, at 0."""
        tried = [[0] * len(shares)]
        tried += [
            [*(self.differs + one * self.prices)[:-1].argmin(axis=1).tolist(), 0]
            for one in _MULTIPLIERS
        ]
        price = [self.total(self.prices, picks, shares) for picks in tried]
        limit = max(budget, min(price)) + 1e-12
        within = [picks for picks, one in zip(tried, price, strict=True) if one <= limit]
        return min(within, key=lambda picks: self.total(self.differs, picks, shares))

    def total(self, values: Float64, picks: list[int], shares: Float64) -> float:
        # Rounded, so that the last bit of a sum decides between no two ways that are alike.
        return round(float(shares @ values[np.arange(len(picks)), picks]), 12)
