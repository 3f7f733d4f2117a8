"""Rules that count the workers' votes.

Criterion 1 (a majority of the configured workers) and Criterion 2 (the same, with a confidence
threshold) of "A Multi-Model Adaptation of Speculative Decoding for Classification"
(arXiv 2503.18076). The text leaves the confidence formula open: we choose among four.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from streamer.decide.decision import Decision
from streamer.decide.predictions import ABSTAINED, LabelIds, Predictions
from streamer.decide.rounding import at_least
from streamer.records.label import Rule

Kind = Literal["majority", "unanimity"]
Measure = Literal["mean", "min", "max", "ensemble"]


@dataclass(frozen=True, slots=True)
class VoteRule:
    """How many of the configured workers must name a label, and how sure they must be.

    The quorum counts against the configured workers and not against those that answered, so an
    outage never makes a decision easier. `measure` with `at_least` is Criterion 2: over the
    workers that agree (mean, min, max), or over all workers (ensemble). Without a measure the
    decision's confidence is the mean.
    """

    kind: Kind
    of: int
    measure: Measure | None = None
    at_least: float = 0.0

    @property
    def quorum(self) -> int:
        """Workers that must name the same label: more than half, or all."""
        return self.of // 2 + 1 if self.kind == "majority" else self.of

    @property
    def least(self) -> float:
        """The confidence below which no label stands."""
        return -np.inf if self.measure is None else self.at_least

    def lenient(self) -> "VoteRule":
        """The same without a threshold."""
        return replace(self, at_least=0.0)

    def decidable(self, answering: Sequence[bool]) -> bool:
        return sum(answering) >= self.quorum

    def decide(self, worker_predictions: Sequence[Predictions]) -> Decision:
        """Invariant under permutation of the workers.

        Integer counts only: with floats, 2/3 >= 1 - 1/3 is false.
        """
        label_ids, count = _plurality(worker_predictions)
        agreed = np.where(count >= self.quorum, label_ids, ABSTAINED)
        confidence = _measure(self.measure or "mean", worker_predictions, agreed)
        if self.measure is not None:
            confident = at_least(confidence, self.at_least)
            agreed = np.where(confident, agreed, ABSTAINED)
            confidence = np.where(confident, confidence, np.nan)
        return Decision(agreed, confidence)

    def described(self, workers: Sequence[str]) -> Rule:
        at_least = None if self.measure is None else self.at_least
        return Rule(self.kind, self.quorum, self.of, self.measure, at_least)


def plurality(worker_predictions: Sequence[Predictions]) -> Decision:
    """The label that most workers name, with no quorum: for an outage, never for a doubt."""
    label_ids, _ = _plurality(worker_predictions)
    return Decision(label_ids, _measure("mean", worker_predictions, label_ids))


def _plurality(worker_predictions: Sequence[Predictions]) -> tuple[LabelIds, LabelIds]:
    """The label named most often and by how many, abstentions left out."""
    votes = np.array([predictions.label_ids for predictions in worker_predictions])
    named = (votes[:, None] == votes).sum(axis=0) * (votes != ABSTAINED)
    most = named.max(axis=0)
    return votes[named.argmax(axis=0), np.arange(len(most))], most


def _measure(
    measure: Measure, worker_predictions: Sequence[Predictions], agreed: LabelIds
) -> NDArray[np.float64]:
    """[N], NaN where nothing counts; in float64 the order of the workers doesn't change a sum."""
    if measure == "ensemble":
        of_label = np.array(
            [predictions.of_label(agreed) for predictions in worker_predictions], np.float64
        )
        counted = ~np.isnan(of_label)
    else:
        of_label = np.array(
            [predictions.confidence for predictions in worker_predictions], np.float64
        )
        votes = np.array([predictions.label_ids for predictions in worker_predictions])
        counted = (votes == agreed) & ~np.isnan(of_label)
    if measure == "min":
        values = np.where(counted, of_label, np.inf).min(axis=0)
    elif measure == "max":
        values = np.where(counted, of_label, -np.inf).max(axis=0)
    else:
        count = counted.sum(axis=0)
        values = np.where(counted, of_label, 0).sum(axis=0) / np.maximum(count, 1)
        return np.where(count, values, np.nan)
    return np.where(counted.any(axis=0), values, np.nan)
