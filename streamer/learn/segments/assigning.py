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
class ChosenRoutes:
    """The route of every segment that has one, by segment id, and `general` for all that have none.

    `price` is that of a ticket on average, on the tickets that chose, as a share of a verdict's.
    """

    routes: Mapping[int, SegmentRoute]
    general: SegmentRoute
    price: float

    def accepted(self, dataset: Dataset, segment_ids: Labels) -> Labels:
        """[N] of raw predictions: the label that stands without the judge, or -1."""
        return accepted_by_segment(
            segment_ids, self.routes, self.general, dataset.worker_predictions
        )

    def unrouted(self, dataset: Dataset) -> Labels:
        """The same with one route for all."""
        return self.general.accepted(dataset.worker_predictions)


def assign(
    dataset: Dataset,
    segment_ids: Labels,
    segments: int,
    prices: Mapping[str, float],
    budget: float,
    general: SegmentRoute | None = None,
) -> ChosenRoutes:
    """The routes whose published labels differ from the judge's least often, for at most `budget`
    per ticket: the price of the workers' answers, and 1 for every verdict.

    `dataset` [N] are judged tickets of the uniform stratum with raw predictions, `segment_ids`
    [N] are theirs, -1 for none. `general` serves all others; by default it is the best single
    route. Every segment has temperatures of its own, fitted to the judge's labels. Its figures
    are shrunk to those of all tickets, and one with few tickets takes the general route. Routes
    are found by a Lagrange multiplier on the price; the general route for all is tried as well:
    where it keeps the budget, routing is never worse by the shrunk figures of the tickets that
    chose. A budget that can't be met is met as nearly as can be. Raises `ValueError` for no
    tickets.
    """
    if not len(dataset):
        raise ValueError("no judged tickets to choose by")
    general = general or _best_single(dataset, prices, budget)
    apart = [
        segment_id for segment_id in range(segments) if (segment_ids == segment_id).sum() >= LEAST
    ]
    heat = {
        segment_id: _temperatures(dataset[np.flatnonzero(segment_ids == segment_id)])
        for segment_id in apart
    }
    warm = _warm(dataset, segment_ids, heat)
    choices = options(warm, prices)
    # The general route comes first: of routes that are alike, it is taken.
    stands = np.vstack([general.accepted(dataset.worker_predictions), _decided(choices, warm)])
    asked, differs = outcomes(stands, dataset.judge.label_ids)
    answers = np.array([_price(general, dataset, prices), *(option.price for option in choices)])
    overall = _Figures(differs.mean(axis=1)[None], asked.mean(axis=1)[None] + answers)
    if not apart:
        return ChosenRoutes({}, general, float(overall.prices[0, 0]))
    # What has no route of its own is one more row, whose route is fixed.
    masks = [segment_ids == segment_id for segment_id in apart]
    shares = np.array([mask.mean() for mask in (*masks, ~np.any(masks, axis=0))])
    own = [overall.shrunk(differs[:, m], asked[:, m], answers) for m in masks]
    figures = _Figures(
        np.vstack([*(figures.differs for figures in own), overall.differs]),
        np.vstack([*(figures.prices for figures in own), overall.prices]),
    )
    picks = figures.best(shares, budget)
    routes = {
        segment_id: _at(choices[pick - 1].route, heat[segment_id])
        for segment_id, pick in zip(apart, picks, strict=False)
        if pick
    }
    return ChosenRoutes(routes, general, figures.total(figures.prices, picks, shares))


def _best_single(dataset: Dataset, prices: Mapping[str, float], budget: float) -> SegmentRoute:
    heat = _temperatures(dataset)
    warm = _warm(dataset, np.zeros(len(dataset), np.int64), {0: heat})
    choices = options(warm, prices)
    asked, differs = outcomes(_decided(choices, warm), dataset.judge.label_ids)
    price = asked.mean(axis=1) + [option.price for option in choices]
    figures = _Figures(differs.mean(axis=1)[None], price[None])
    return _at(choices[figures.best_single(np.ones(1), budget)].route, heat)


def _temperatures(dataset: Dataset) -> tuple[float, ...]:
    return tuple(
        fit_temperature(predictions, dataset.judge.label_ids).temperature
        for predictions in dataset.worker_predictions
    )


def _warm(dataset: Dataset, segment_ids: Labels, heat: Mapping[int, tuple[float, ...]]) -> Dataset:
    """With the predictions on every segment at its temperatures, where it has any."""
    worker_predictions = list(dataset.worker_predictions)
    for segment_id, temperatures in heat.items():
        rows = np.flatnonzero(segment_ids == segment_id)
        for index, temperature in enumerate(temperatures):
            worker_predictions[index] = _replaced(worker_predictions[index], rows, temperature)
    return replace(dataset, worker_predictions=tuple(worker_predictions))


def _replaced(predictions: Predictions, rows: Labels, temperature: float) -> Predictions:
    if predictions.probabilities is None:
        return predictions
    warm = tempered(predictions[rows], temperature)
    label_ids, probabilities = predictions.label_ids.copy(), predictions.probabilities.copy()
    label_ids[rows], probabilities[rows] = warm.label_ids, warm.probabilities
    return Predictions(label_ids, probabilities)


def _decided(choices: Sequence[Option], warm: Dataset) -> Labels:
    return np.array([option.route.decided(warm.worker_predictions) for option in choices])


def _at(route: SegmentRoute, heat: Sequence[float]) -> SegmentRoute:
    return replace(route, temperatures=tuple(heat[index] for index in route.workers))


def _price(route: SegmentRoute, dataset: Dataset, prices: Mapping[str, float]) -> float:
    return sum(prices[dataset.workers[index]] for index in route.workers)


@dataclass(frozen=True, slots=True)
class _Figures:
    """[S, O]: how often a segment's labels would differ under an option, and its price."""

    differs: Float64
    prices: Float64

    def shrunk(
        self, differs: NDArray[np.bool_], asked: NDArray[np.bool_], answers: Float64
    ) -> "_Figures":
        """Of a segment's tickets [O, M], drawn to these figures of all tickets."""
        weight = differs.shape[1] + SHRINKAGE
        return _Figures(
            (differs.sum(axis=1) + SHRINKAGE * self.differs) / weight,
            (asked.sum(axis=1) + SHRINKAGE * (self.prices - answers)) / weight + answers,
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
            [*(self.differs + multiplier * self.prices)[:-1].argmin(axis=1).tolist(), 0]
            for multiplier in _MULTIPLIERS
        ]
        price = [self.total(self.prices, picks, shares) for picks in tried]
        limit = max(budget, min(price)) + 1e-12
        within = [picks for picks, cost in zip(tried, price, strict=True) if cost <= limit]
        return min(within, key=lambda picks: self.total(self.differs, picks, shares))

    def total(self, values: Float64, picks: list[int], shares: Float64) -> float:
        # Rounded, so that the last bit of a sum decides between no two routes that are alike.
        return round(float(shares @ values[np.arange(len(picks)), picks]), 12)
