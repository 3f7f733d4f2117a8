"""Whether probabilities mean what they say, before and after temperature."""

from dataclasses import dataclass

import numpy as np

from streamer.decide.predictions import ABSTAINED, Predictions
from streamer.learn.calibrate.temperature import Reliability
from streamer.learn.data.dataset import UNKNOWN
from streamer.learn.evaluation.tickets import Tickets
from streamer.learn.measures.scores import Labels

_BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """Tickets on which a model is about equally sure: how sure, and how often it is right."""

    confidence: float
    right: float
    rows: int


@dataclass(frozen=True, slots=True)
class Diagram:
    """Ten bins of equal width of the likeliest label's probability; empty ones are left out."""

    bins: tuple[Bin, ...]
    scores: Reliability


@dataclass(frozen=True, slots=True)
class ModelReliability:
    """One model against `truth`: gold labels, or the judge's where there are none."""

    model: str
    truth: str
    before: Diagram
    after: Diagram


def reliabilities(tickets: Tickets) -> list[ModelReliability]:
    """Of each model of the pool that gives probabilities; of the judge only against gold."""
    raw, warm = tickets.raw, tickets.pool
    graded = len(tickets.graded) > 0
    truth = warm.gold if graded else warm.judge.label_ids
    models = {
        name: (raw.worker_predictions[raw.workers.index(name)], predictions)
        for name, predictions in zip(warm.workers, warm.worker_predictions, strict=True)
    }
    if graded:
        models["judge"] = (raw.judge, warm.judge)
    return [
        ModelReliability(name, "gold" if graded else "judge", first, second)
        for name, (before, after) in models.items()
        if (first := _diagram(before, truth)) and (second := _diagram(after, truth))
    ]


def _diagram(predictions: Predictions, truth: Labels) -> Diagram | None:
    if predictions.probabilities is None:
        return None
    rated = np.flatnonzero((truth != UNKNOWN) & (predictions.label_ids != ABSTAINED))
    probs, right_labels = predictions.probabilities[rated], truth[rated]
    if not len(rated):
        return None
    confidence = probs.max(axis=1).astype(np.float64)
    right = probs.argmax(axis=1) == right_labels
    bin_indexes = np.minimum((confidence * _BINS).astype(np.int64), _BINS - 1)
    bins = [
        Bin(float(confidence[mine].mean()), float(right[mine].mean()), int(mine.sum()))
        for mine in (bin_indexes == bin_index for bin_index in np.unique(bin_indexes))
    ]
    return Diagram(tuple(bins), Reliability.of(probs, right_labels))
