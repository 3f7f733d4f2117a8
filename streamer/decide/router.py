"""A rule that looks before it asks: would the judge say something else?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from streamer.decide.decision import Decision
from streamer.decide.predictions import ABSTAINED, Predictions
from streamer.decide.rounding import DECIMALS, at_least
from streamer.decide.signals import signals
from streamer.records.calibration import RouterWeights
from streamer.records.label import Rule


@dataclass(frozen=True, slots=True)
class Router:
    """Accept the candidate label iff the estimated chance that the judge differs is at most
    `at_most`.

    The post-hoc estimator of "When Does Confidence-Based Cascade Deferral Suffice?"
    (arXiv 2307.02764), with the judge's label in place of the truth; the signals and the linear
    form are our choice. The confidence of a label is 1 minus the estimate. An abstention of any
    worker leaves the ticket to the judge.
    """

    weights: RouterWeights
    at_most: float

    @property
    def of(self) -> int:
        return len(self.weights.pool)

    @property
    def quorum(self) -> int:
        return self.of

    @property
    def least(self) -> float:
        """The confidence below which no label stands."""
        return 1 - self.at_most

    def decidable(self, answering: Sequence[bool]) -> bool:
        return all(answering)

    def decide(self, worker_predictions: Sequence[Predictions]) -> Decision:
        count = len(worker_predictions[0].label_ids)
        label_ids, confidence = np.full(count, ABSTAINED), np.full(count, np.nan)
        if all(predictions.probabilities is not None for predictions in worker_predictions):
            usable = np.flatnonzero(
                np.all([o.label_ids != ABSTAINED for o in worker_predictions], axis=0)
            )
            # Rows are copied only where some must be left out.
            voted = (
                worker_predictions
                if len(usable) == count
                else [o[usable] for o in worker_predictions]
            )
            candidate, signal_rows = signals(voted, self.weights.pool)
            weights = self.weights
            logit = signal_rows @ np.array(weights.signals) + np.array(weights.labels)[candidate]
            differs = np.round(1 / (1 + np.exp(-logit - weights.intercept)), DECIMALS)
            confident = at_least(1 - differs, self.least)
            label_ids[usable[confident]] = candidate[confident]
            confidence[usable[confident]] = 1 - differs[confident]
        return Decision(label_ids, confidence)

    def described(self, workers: Sequence[str]) -> Rule:
        """With the least confidence that is accepted; the weights stand in the calibration."""
        return Rule("router", self.of, self.of, at_least=self.least)
