"""Learning from a log where the judge would say something else than the workers."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from streamer.decide.decision import Decision
from streamer.decide.predictions import ABSTAINED, Predictions
from streamer.decide.router import Router
from streamer.decide.signals import LEAST, signals
from streamer.learn.measures.scores import Labels
from streamer.records.calibration import RouterWeights

_PENALTY = 0.3
_MOST_ROWS = 20_000
_LARGEST_POWER = 10.0

Float64 = NDArray[np.float64]


def train_router(worker_predictions: Sequence[Predictions], judge: Labels) -> RouterWeights:
    """From tempered predictions on N tickets and the judge's labels [N].

    Rows with an abstention are left out. First the exponents of the pool are fitted to the judge's
    labels, then the chance that the judge differs from the pool's label, by logistic regression
    with a ridge penalty. Raises `ValueError` for a worker without probabilities, or no rows.
    """
    rows = _usable(worker_predictions, judge)
    if not len(rows):
        raise ValueError("no ticket has the answers of all workers and the judge")
    votes, verdicts = [predictions[rows] for predictions in worker_predictions], judge[rows]
    pool = _fit_pool(votes, verdicts)
    candidate, signal_rows = signals(votes, pool)
    size = _vectors(votes[0]).shape[1]
    return RouterWeights(pool, *_fit_weights(signal_rows, candidate, candidate != verdicts, size))


def cross_fitted(
    worker_predictions: Sequence[Predictions], judge: Labels, folds: int = 5
) -> Decision:
    """What routers say of all N tickets, each trained on the other folds, with every label open.

    So the log that trained the router may choose its threshold, too.
    """
    count = len(judge)
    label_ids, confidence = np.full(count, ABSTAINED), np.full(count, np.nan)
    for fold in range(folds):
        mine = np.flatnonzero(np.arange(count) % folds == fold)
        others = np.flatnonzero(np.arange(count) % folds != fold)
        weights = train_router(
            [predictions[others] for predictions in worker_predictions], judge[others]
        )
        decision = Router(weights, at_most=1.0).decide(
            [predictions[mine] for predictions in worker_predictions]
        )
        label_ids[mine], confidence[mine] = decision.label_ids, decision.confidence
    return Decision(label_ids, confidence)


def _usable(worker_predictions: Sequence[Predictions], judge: Labels) -> NDArray[np.int64]:
    answered = np.all(
        [predictions.label_ids != ABSTAINED for predictions in worker_predictions], axis=0
    )
    rows = np.flatnonzero(answered & (judge != ABSTAINED))
    # A dozen weights gain nothing from more; evenly spaced, to see all of the time.
    return rows[:: -(-len(rows) // _MOST_ROWS)] if len(rows) else rows


def _fit_pool(votes: Sequence[Predictions], judge: Labels) -> tuple[float, ...]:
    logs = np.stack([np.log(np.maximum(_vectors(vote), LEAST)) for vote in votes])
    rows = np.arange(len(judge))
    of_judge = logs[:, rows, judge]

    def loss(powers: Float64) -> tuple[float, Float64]:
        total = np.tensordot(powers.astype(np.float32), logs, 1)
        total -= total.max(axis=1, keepdims=True)
        weights = np.exp(total)
        sums = weights.sum(axis=1)
        value = np.log(sums).mean(dtype=np.float64) - total[rows, judge].mean(dtype=np.float64)
        expected = np.einsum("wnk,nk->wn", logs, weights / sums[:, None])
        return float(value), (expected - of_judge).mean(axis=1, dtype=np.float64)

    start = np.full(len(votes), 1 / len(votes))
    bounds = [(0.0, _LARGEST_POWER)] * len(votes)
    powers_found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return tuple(np.round(powers_found, 4).tolist())


def _fit_weights(
    signal_rows: Float64, candidate: Labels, differs: NDArray[np.bool_], size: int
) -> tuple[float, tuple[float, ...], tuple[float, ...]]:
    """Intercept, weights of the signals in their own units, and weights of the labels."""
    if differs.all() or not differs.any():
        odds = (differs.sum() + 0.5) / (len(differs) - differs.sum() + 0.5)
        return float(np.log(odds)), (0.0,) * signal_rows.shape[1], (0.0,) * size
    centre, scale = signal_rows.mean(axis=0), np.maximum(signal_rows.std(axis=0), 1e-6)
    inputs = np.hstack([(signal_rows - centre) / scale, np.eye(size)[candidate]])
    model = LogisticRegression(C=_PENALTY, max_iter=500).fit(inputs, differs)
    weights = model.coef_[0, : signal_rows.shape[1]] / scale
    labels = model.coef_[0, signal_rows.shape[1] :]
    intercept = float(model.intercept_[0] - weights @ centre)
    return intercept, tuple(weights.tolist()), tuple(labels.tolist())


def _vectors(predictions: Predictions) -> NDArray[np.float32]:
    if predictions.probabilities is None:
        raise ValueError("a router needs the probabilities of every worker")
    return predictions.probabilities
