"""Several ways of asking one question, joined to one answer."""

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]


def shifts(labels: int, count: int) -> tuple[int, ...]:
    """By how many places the labels are turned: `count` cyclic shifts, as far apart as can be.

    All of them where there are no more labels than that; the first is 0, as written.
    """
    ways = min(labels, count)
    return tuple(way * labels // ways for way in range(ways))


def joined(scores: Scores, priors: Scores | None = None) -> Scores:
    """Log-probabilities [N, K], but for a constant in each row, of answers [W, N, K] in W ways.

    `priors` [W, K] are the answers to an empty ticket, which are divided out. The mean is of the
    logarithms: what a place in the list adds to the score of any label there cancels out over all
    cyclic shifts.
    """
    own = scores if priors is None else scores - priors[:, None]
    return np.asarray((own - np.logaddexp.reduce(own, axis=2, keepdims=True)).mean(axis=0))


def covered(scores: Scores) -> Scores:
    """[N]: the share of the model's probability that the labels have, the mean of W ways."""
    return np.asarray(np.minimum(np.exp(np.logaddexp.reduce(scores, axis=2)).mean(axis=0), 1))
