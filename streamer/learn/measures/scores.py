"""How good probabilities are against the gold labels."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from streamer.backends.features import Floats

Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Scores:
    """Accuracy and macro-F1 from 0 to 1, mean negative log likelihood in nats, over `rows`."""

    accuracy: float
    macro_f1: float
    nll: float
    rows: int

    @classmethod
    def of(cls, probs: Floats, gold: Labels) -> "Scores":
        """`probs` [N, K], `gold` [N] label indices."""
        answers = probs.argmax(axis=1)
        return cls(
            accuracy=float((answers == gold).mean()),
            macro_f1=_macro_f1(answers, gold),
            nll=nll(probs, gold),
            rows=len(gold),
        )


def nll(probs: npt.NDArray[np.floating[Any]], gold: Labels) -> float:
    """Mean negative log likelihood in nats; a probability of 0 counts as 1e-12."""
    return float(-np.log(np.maximum(probs[np.arange(len(gold)), gold], 1e-12)).mean())


def _macro_f1(answers: Labels, gold: Labels) -> float:
    """Over the labels that occur; a label that nobody named and nobody has says nothing."""
    labels = np.union1d(answers, gold)
    f1 = [
        2 * np.sum((answers == k) & (gold == k)) / (np.sum(answers == k) + np.sum(gold == k))
        for k in labels
    ]
    return float(np.mean(f1))
