"""Whose label stands once workers and judge have both spoken, and how sure the judge is of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.decide.arbitration_rules import ArbitrationRule, Diff, Kept, Opt
from streamer.decide.opinion_pool import OpinionPool
from streamer.decide.predictions import LabelIds, Predictions, Probabilities
from streamer.decide.temperature import tempered
from streamer.records.label import Source


@dataclass(frozen=True, slots=True)
class Arbitration:
    """Of N tickets: the label that stands, and the judge's own in `judged`.

    `kept` marks those where the workers' label stands against the judge's; by a pool one may stand
    that is neither's. `confidence` is the judge's probability of the label that stands,
    `own_confidence` that of its own.
    """

    label_ids: LabelIds
    judged: LabelIds
    kept: Kept
    confidence: NDArray[np.float64]
    own_confidence: NDArray[np.float64]

    def source(self, row: int) -> Source:
        """Whose label stands of the ticket."""
        if self.kept[row]:
            return "workers"
        return "judge" if self.label_ids[row] == self.judged[row] else "pool"


def quantised(probabilities: Probabilities) -> Probabilities:
    """A judge's probabilities [N, K], rounded to 5 decimals as the log keeps them."""
    rounded = tempered(Predictions(probabilities.argmax(axis=1), probabilities), 1.0).probabilities
    assert rounded is not None  # only predictions without probabilities stays without
    return rounded


def judgement(verdicts: Probabilities, temperature: float | None) -> Predictions:
    """What the judge itself thinks, of verdicts [N, K] that are `quantised`: tempered where known.

    Ties go to the label that comes first.
    """
    predictions = Predictions(verdicts.argmax(axis=1), verdicts)
    return predictions if temperature is None else tempered(predictions, temperature)


def arbitrate(
    rule: ArbitrationRule,
    verdicts: Probabilities,
    temperature: float | None,
    candidates: LabelIds,
    ensembles: NDArray[np.float64],
) -> Arbitration:
    """What stands for verdicts [N, K]; these and `temperature` as in `judgement`.

    `candidates` [N] are the workers' labels, -1 for none; `ensembles` [N, K] their mean
    distributions, a row of zeros where none is known: there a rule that compares distributions
    keeps nothing.
    """
    predictions = judgement(verdicts, temperature)
    judged, label_ids = predictions.label_ids, predictions.label_ids.copy()
    has_ensemble = ensembles.any(axis=1)
    pools, compares = isinstance(rule, OpinionPool), isinstance(rule, Diff | Opt | OpinionPool)
    open_to_it = (candidates >= 0) & (pools | (candidates != judged))
    rows = np.flatnonzero(open_to_it & (has_ensemble | (not compares)))
    if predictions.probabilities is not None:
        alone = np.eye(verdicts.shape[1])[candidates[rows]]
        q = np.where(has_ensemble[rows, None], ensembles[rows], alone)
        label_ids[rows] = _standing(rule, q, predictions[rows], candidates[rows])
    kept = (label_ids == candidates) & (label_ids != judged)
    return Arbitration(
        label_ids, judged, kept, _share(predictions, label_ids), _share(predictions, judged)
    )


def _standing(
    rule: ArbitrationRule, q: NDArray[np.float64], judge: Predictions, candidates: LabelIds
) -> LabelIds:
    assert judge.probabilities is not None
    if isinstance(rule, OpinionPool):
        return rule.label_ids(q, judge.probabilities)
    return np.where(rule.keeps(q, judge.probabilities, candidates), candidates, judge.label_ids)


def _share(predictions: Predictions, label_ids: LabelIds) -> NDArray[np.float64]:
    return predictions.of_label(label_ids).astype(np.float64)
