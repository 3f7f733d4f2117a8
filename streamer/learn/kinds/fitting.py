"""Fitting a calibrated linear head to embeddings."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar

from streamer.learn.kinds.kind import Targets

Matrix = NDArray[np.float32]

_PENALTIES = (1.0, 0.3, 0.1, 0.03, 0.01)
_SHRINKAGE = 0.3
_STEPS = 60


@dataclass(frozen=True, slots=True)
class Linear:
    """Logits are `embeddings @ weights + bias`, divided by `temperature`."""

    weights: Matrix
    bias: Matrix
    temperature: float = 1.0

    def probabilities(self, embeddings: Matrix) -> Matrix:
        """float32 [N, K]."""
        logits = (embeddings @ self.weights + self.bias) / self.temperature
        return _softmax(logits).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Tuned:
    """`model` saw only the training part; `penalty` was the best on the held-out part."""

    model: Linear
    penalty: float


def tune(train: Matrix, taught: Targets, held: Matrix, held_out: Targets) -> Tuned:
    """Try every penalty, with its own temperature, and keep the one of the least held-out loss.

    `train` [N, D] are the embeddings of `taught`, `held` [M, D] those of `held_out`.
    """
    tried = [
        Tuned(_calibrated(fit(train, taught, penalty), held, held_out), penalty)
        for penalty in _PENALTIES
    ]
    return min(tried, key=lambda tuned: held_out.loss(tuned.model.probabilities(held)))


def fit(embeddings: Matrix, targets: Targets, penalty: float) -> Linear:
    """Multinomial logistic regression with an L2 `penalty`, in whitened coordinates.

    Whitening by the scatter within the labels makes the penalty weigh directions by what they
    tell apart and not by their scale: 0.922 instead of 0.914 accuracy on 77 bank intents.
    """
    centre, whitener = _whitening(embeddings, targets)
    inputs = (embeddings - centre) @ whitener
    weights, bias = _regression(inputs, targets, penalty)
    folded = whitener @ weights
    return Linear(folded.astype(np.float32), (bias - centre @ folded).astype(np.float32))


def _whitening(embeddings: Matrix, targets: Targets) -> tuple[Matrix, Matrix]:
    weights, labels = targets.counts, targets.labels
    members = np.zeros((targets.size, len(labels)), np.float32)
    members[labels, np.arange(len(labels))] = weights
    means = members @ embeddings / np.maximum(members.sum(axis=1, keepdims=True), 1e-9)
    rest = embeddings - means[labels]
    scatter = rest.T @ (rest * weights[:, None]) / weights.sum()
    width = len(scatter)
    scatter = (1 - _SHRINKAGE) * scatter + _SHRINKAGE * np.trace(scatter) / width * np.eye(width)
    values, vectors = np.linalg.eigh(scatter)
    whitener = vectors / np.sqrt(values * width)
    centre: Matrix = weights @ embeddings / weights.sum()
    return centre, whitener.astype(np.float32)


def _regression(
    inputs: Matrix, targets: Targets, penalty: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    width, size = inputs.shape[1], targets.size
    each, wanted = targets.counts / targets.counts.sum(), targets.wanted
    weight = penalty / len(inputs)

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = flat[:-size].reshape(width, size)
        p = _softmax(inputs @ weights.astype(np.float32) + flat[-size:])
        value = -each @ (wanted * np.log(np.maximum(p, 1e-30))).sum(axis=1)
        p = (p - wanted) * each[:, None]
        slope = inputs.T @ p.astype(np.float32) + weight * weights
        total = float(value) + weight * (weights**2).sum() / 2
        return total, np.concatenate([slope.ravel(), p.sum(axis=0)])

    start = np.zeros((width + 1) * size)
    best = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS}).x
    return best[:-size].reshape(width, size), best[-size:]


def _calibrated(model: Linear, held: Matrix, held_out: Targets) -> Linear:
    def loss(log_temperature: float) -> float:
        trial = Linear(model.weights, model.bias, float(np.exp(log_temperature)))
        return held_out.loss(trial.probabilities(held))

    best = minimize_scalar(loss, bounds=(-3, 3), method="bounded").x
    return Linear(model.weights, model.bias, float(np.exp(best)))


def _softmax(logits: NDArray[Any]) -> NDArray[np.float64]:
    powers = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    shares: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return shares
