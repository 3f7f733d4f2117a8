"""A linear model that learns whole distributions: multinomial logistic regression."""

from typing import Any

import numpy as np
import scipy.sparse

from streamer.backends.features import Floats, softmax
from streamer.learn.kinds.kind import Targets
from streamer.learn.kinds.minibatches import minibatches

_RATE = np.float32(0.5)
_START = np.float32(1e-4)
"""So that the first batch, of which all else is unknown, makes no giant steps."""


def softmax_regression(
    rows: Any, targets: Targets, epochs: int, seed: int
) -> tuple[Floats, Floats]:
    """Weights [V, K] and bias [K] that lower the targets' loss on sparse `rows` [N, V].

    Adagrad (Duchi et al. 2011) over minibatches: a feature that a batch lacks has no gradient and
    keeps its weights, so a step costs what the batch's own features cost. Few epochs are what
    keeps it from learning the training texts by heart.
    """
    random = np.random.default_rng(seed)
    weights = np.zeros((rows.shape[1], targets.size), np.float32)
    bias = np.zeros(targets.size, np.float32)
    steps, bias_steps = np.full_like(weights, _START), np.full_like(bias, _START)
    for batch in minibatches(rows.shape[0], epochs, random):
        columns, own_rows = _own_columns(rows[batch])
        mine = weights[columns]
        error = targets.error(softmax(own_rows @ mine + bias), batch)
        gradient = own_rows.T @ error
        steps[columns] += gradient * gradient
        weights[columns] = mine - _RATE * gradient / np.sqrt(steps[columns])
        shift = error.sum(axis=0)
        bias_steps += shift * shift
        bias -= _RATE * shift / np.sqrt(bias_steps)
    return weights, bias


def _own_columns(rows: Any) -> tuple[Any, Any]:
    """The columns that some rows have, and the rows over these alone."""
    columns, indexes = np.unique(rows.indices, return_inverse=True)
    shape = (rows.shape[0], len(columns))
    return columns, scipy.sparse.csr_matrix((rows.data, indexes, rows.indptr), shape=shape)
