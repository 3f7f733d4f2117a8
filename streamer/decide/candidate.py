"""The workers' own label, whether or not a rule lets it stand without the judge."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.decide.decision import Decision
from streamer.decide.predictions import ABSTAINED, LabelIds, Predictions
from streamer.decide.serving_policy import ServingPolicy
from streamer.decide.votes import plurality


@dataclass(frozen=True, slots=True)
class Candidate:
    """Of N tickets: the workers' label, or -1 where none answered; its probability, NaN where it
    is not known; and the mean [N, K] of the distributions of those that answered, all zero where
    none did, or None where no worker gives probabilities.
    """

    label_ids: LabelIds
    confidence: NDArray[np.float64]
    ensemble: NDArray[np.float64] | None


def workers_candidate(
    decision: Decision,
    worker_predictions: Sequence[Predictions],
    policy: ServingPolicy,
    outage: bool = False,
    mean: bool = False,
) -> Candidate:
    """The label that the rule accepted, with the rule's confidence, else the likeliest; what most
    say who can be reached, where that stands in for an `outage`.

    A decision without a label has no candidate where no worker was asked. The mean is taken where
    the judge may be asked about any of the tickets, or if `mean` asks for it.
    """
    if policy.falls_back(outage):
        most = plurality(worker_predictions)
        return Candidate(most.label_ids, most.confidence, None)
    accepted, left = decision.label_ids, decision.label_ids == ABSTAINED
    needed = mean or policy.publishes_first or np.count_nonzero(left)
    if not worker_predictions or not needed:
        return Candidate(accepted, decision.confidence, None)
    own = likeliest(worker_predictions)
    label_ids = np.where(left, own.label_ids, accepted)
    confidence = np.where(left, own.confidence, decision.confidence)
    return Candidate(label_ids, confidence, own.ensemble)


def likeliest(worker_predictions: Sequence[Predictions]) -> Candidate:
    """The likeliest label of the workers' mean; that which most name, where they give labels only.

    Every worker counts alike (we choose; the papers have one worker here).
    """
    if all(predictions.probabilities is None for predictions in worker_predictions):
        named = plurality(worker_predictions)
        return Candidate(named.label_ids, named.confidence, None)
    total = np.zeros((len(worker_predictions[0].label_ids), _labels(worker_predictions)))
    answered = np.zeros(len(total))
    for predictions in worker_predictions:
        if predictions.probabilities is not None:
            voted = predictions.label_ids != ABSTAINED
            total[voted] += predictions.probabilities[voted]
            answered += voted
    mean = total / np.maximum(answered, 1)[:, None]
    label_ids = np.where(answered > 0, mean.argmax(axis=1), ABSTAINED)
    confidence = np.where(answered > 0, mean.max(axis=1, initial=0), np.nan)
    return Candidate(label_ids, confidence, mean)


def _labels(worker_predictions: Sequence[Predictions]) -> int:
    return next(o.probabilities.shape[1] for o in worker_predictions if o.probabilities is not None)
