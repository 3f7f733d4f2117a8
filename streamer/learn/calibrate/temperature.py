"""One temperature per model, fitted to labels that it has not seen."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar

from streamer.decide.predictions import ABSTAINED, Predictions, Probabilities
from streamer.decide.temperature import tempered
from streamer.learn.measures.scores import Labels, nll

_BINS = 15
_LARGEST = 20.0


@dataclass(frozen=True, slots=True)
class Reliability:
    """How far probabilities can be believed: mean NLL in nats, ECE and Brier, over `rows`.

    The expected calibration error is of the likeliest label, in 15 bins of equal width (Guo et
    al. 2017); the Brier score is the squared distance to the one-hot truth, from 0 to 2.
    """

    nll: float
    ece: float
    brier: float
    rows: int

    @classmethod
    def of(cls, probs: Probabilities, truth: Labels) -> "Reliability":
        """`probs` [N, K], `truth` [N] label indices; NaN of none."""
        if not len(truth):
            return cls(np.nan, np.nan, np.nan, 0)
        one_hot = np.arange(probs.shape[1]) == truth[:, None]
        brier = float(((probs.astype(np.float64) - one_hot) ** 2).sum(axis=1).mean())
        return cls(nll(probs, truth), _ece(probs, truth), brier, len(truth))


@dataclass(frozen=True, slots=True)
class FittedTemperature:
    """The `temperature`, and what it does on the rows that it was fitted to."""

    temperature: float
    before: Reliability
    after: Reliability


def fit_temperature(predictions: Predictions, truth: Labels) -> FittedTemperature:
    """The T between 1/20 and 20 with the least NLL, of raw probabilities [N, K].

    `truth` [N] are label indices, -1 where unknown; those rows and abstentions are left out. T is
    1 without probabilities or rows, and where no other is better.
    """
    usable = np.flatnonzero((truth >= 0) & (predictions.label_ids != ABSTAINED))
    if predictions.probabilities is None or not len(usable):
        nothing = Reliability(np.nan, np.nan, np.nan, 0)
        return FittedTemperature(1.0, nothing, nothing)
    rows, gold = predictions[usable], truth[usable]

    def after(temperature: float) -> Probabilities:
        probs = tempered(rows, temperature).probabilities
        assert probs is not None
        return probs

    def loss(log_temperature: float) -> float:
        return nll(after(float(np.exp(log_temperature))), gold)

    bound = float(np.log(_LARGEST))
    least = minimize_scalar(loss, bounds=(-bound, bound), method="bounded")
    best = float(np.exp(least.x)) if least.fun < loss(0.0) else 1.0
    before = Reliability.of(after(1.0), gold)
    return FittedTemperature(best, before, Reliability.of(after(best), gold))


def _ece(probs: Probabilities, truth: Labels) -> float:
    confidence = probs.max(axis=1).astype(np.float64)
    gap = (probs.argmax(axis=1) == truth) - confidence
    bins = np.minimum((confidence * _BINS).astype(np.int64), _BINS - 1)
    return float(np.abs(np.bincount(bins, gap, _BINS)).sum() / len(truth))
