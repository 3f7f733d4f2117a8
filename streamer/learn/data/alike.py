"""Whether two sets of tickets are alike, as far as workers and judge can tell."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.decide.predictions import ABSTAINED
from streamer.learn.data.dataset import Dataset

_Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Alike:
    """How much of the workers' answers the judge shares on the one set and on the `other`, as mean
    shares, and the 95 % interval of the first less the second.

    What is promised on tickets of the one kind says nothing of another.
    """

    one: float
    other: float
    low: float
    high: float

    @classmethod
    def of(cls, dataset: Dataset, other: Dataset) -> "Alike":
        """Of judged tickets of the same task and workers; NaN where a set has none."""
        first, second = _shared(dataset), _shared(other)
        if not len(first) or not len(second):
            return cls(*[math.nan] * 4)
        gap = float(first.mean() - second.mean())
        half = _Z95 * math.sqrt(first.var() / len(first) + second.var() / len(second))
        return cls(float(first.mean()), float(second.mean()), gap - half, gap + half)

    def __bool__(self) -> bool:
        """Whether chance explains the difference."""
        return self.low <= 0 <= self.high

    def __str__(self) -> str:
        verdict = "alike" if self else "not alike: a promise of the one need not hold on the other"
        return (
            f"workers agree with the judge on {self.one:.3f} and {self.other:.3f},"
            f" difference {self.one - self.other:+.3f} [{self.low:+.3f}, {self.high:+.3f}]:"
            f" {verdict}"
        )


def _shared(dataset: Dataset) -> NDArray[np.float64]:
    """[M] of the judged tickets: the share of the workers that name the judge's label."""
    judged = dataset.judge.label_ids != ABSTAINED
    named = np.array(
        [
            predictions.label_ids == dataset.judge.label_ids
            for predictions in dataset.worker_predictions
        ]
    )
    return np.asarray(named[:, judged].mean(axis=0))
