"""What can be known of a ticket before the judge is asked, as numbers."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from streamer.decide.distributions import Float64
from streamer.decide.predictions import LabelIds, Predictions, Probabilities

Signals = Float64
LEAST = np.float32(1e-5)
"""The smallest probability after rounding; what was rounded to 0 counts as this."""

_SURE = np.float32(1e-4)


def signals(
    worker_predictions: Sequence[Predictions], pool: Sequence[float]
) -> tuple[LabelIds, Signals]:
    """The candidate label of each ticket, [N], and its signals, [N, F].

    The candidate is the likeliest of the product of the workers' distributions p_w^pool[w]
    (a logarithmic opinion pool; Genest and Zidek 1986). With W workers the signals are: the pool's
    log-odds of the candidate; every worker's; whether each of them names it; and the total
    variation of every pair. Every worker must have probabilities and no abstentions.
    """
    vectors = [_vectors(predictions) for predictions in worker_predictions]
    candidate, odds = _pooled(vectors, pool)
    rows = np.arange(len(candidate))
    columns = [
        odds,
        *(_log_odds(vector[rows, candidate]) for vector in vectors),
        *(predictions.label_ids == candidate for predictions in worker_predictions),
        *(np.abs(first - other).sum(axis=1) / 2 for first, other in combinations(vectors, 2)),
    ]
    return candidate, np.stack(columns, axis=1, dtype=np.float64)


def _vectors(predictions: Predictions) -> Probabilities:
    if predictions.probabilities is None:
        raise ValueError("an opinion without probabilities has no signals")
    return predictions.probabilities


def _pooled(
    vectors: Sequence[Probabilities], pool: Sequence[float]
) -> tuple[LabelIds, NDArray[np.float32]]:
    total = np.zeros_like(vectors[0])
    for vector, power in zip(vectors, pool, strict=True):
        total += np.log(np.maximum(vector, LEAST)) * np.float32(power)
    candidate = total.argmax(axis=1)
    total -= total[np.arange(len(candidate)), candidate][:, None]
    others = np.exp(total).sum(axis=1) - 1
    return candidate, -np.log(np.maximum(others, _SURE))


def _log_odds(p: NDArray[np.float32]) -> NDArray[np.float32]:
    inner = np.clip(p, _SURE, 1 - _SURE)
    return np.asarray(np.log(inner / (1 - inner)), np.float32)
