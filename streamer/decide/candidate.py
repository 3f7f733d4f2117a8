"""The workers' own label, whether or not a rule lets it stand without the judge."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.decide.predictions import ABSTAINED, LabelIds, Predictions
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


def candidate(opinions: Sequence[Predictions]) -> Candidate:
    """The likeliest label of the workers' mean; that which most name, where they give labels only.

    Every worker counts alike (we choose; the papers have one worker here).
    """
    if all(opinion.probabilities is None for opinion in opinions):
        said = plurality(opinions)
        return Candidate(said.label_ids, said.confidence, None)
    total = np.zeros((len(opinions[0].label_ids), _labels(opinions)))
    answered = np.zeros(len(total))
    for opinion in opinions:
        if opinion.probabilities is not None:
            voted = opinion.label_ids != ABSTAINED
            total[voted] += opinion.probabilities[voted]
            answered += voted
    mean = total / np.maximum(answered, 1)[:, None]
    label_ids = np.where(answered > 0, mean.argmax(axis=1), ABSTAINED)
    confidence = np.where(answered > 0, mean.max(axis=1, initial=0), np.nan)
    return Candidate(label_ids, confidence, mean)


def _labels(opinions: Sequence[Predictions]) -> int:
    return next(o.probabilities.shape[1] for o in opinions if o.probabilities is not None)
