"""One rule with several thresholds, one of which holds for each ticket."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.decide.chow import Chow
from streamer.decide.decision import Decision
from streamer.decide.deferral_rule import DeferralRule
from streamer.decide.predictions import ABSTAINED, LabelIds, Predictions
from streamer.decide.rounding import at_least
from streamer.decide.temperature import tempered
from streamer.decide.votes import VoteRule

Thresholded = VoteRule | Chow


@dataclass(frozen=True, slots=True)
class ThresholdedRule:
    """A `rule` over W workers, R thresholds of it, `least` [R], and the workers' `temperatures`
    [R, W] under each, NaN where an answer stays as it is.

    `rule_index` [N] says in all methods which of the R is a ticket's.
    """

    rule: DeferralRule
    least: NDArray[np.float64] | None
    temperatures: NDArray[np.float64]

    @classmethod
    def of(
        cls, rules: Sequence[DeferralRule], temperatures: NDArray[np.float64]
    ) -> "ThresholdedRule":
        """R rules that differ in their thresholds alone; raises `ValueError` for others."""
        if len(rules) == 1:
            return cls(rules[0], None, temperatures)
        thresholded = [rule for rule in rules if isinstance(rule, Thresholded)]
        lenient = {rule.lenient() for rule in thresholded}
        if len(lenient) != 1 or len(thresholded) < len(rules):
            raise ValueError("rules that differ in more than a threshold can't decide together")
        return cls(lenient.pop(), np.array([rule.least for rule in thresholded]), temperatures)

    def tempered(self, worker: int, raw: Predictions, rule_index: LabelIds) -> Predictions:
        """What the worker with this index said of N tickets, as it is decided on.

        `raw` is rounded. To temper by 1 rounds once more, so what has no temperature is left alone.
        """
        heat = self.temperatures[:, worker]
        if raw.probabilities is None or np.isnan(heat).all():
            return raw
        if len(heat) == 1:
            return tempered(raw, float(heat[0]))
        own = heat[rule_index]
        bare = np.isnan(own)
        warm = tempered(raw, np.where(bare, 1.0, own))
        if warm.probabilities is None or not bare.any():
            return warm
        probabilities = np.where(bare[:, None], raw.probabilities, warm.probabilities)
        return Predictions(np.where(bare, raw.label_ids, warm.label_ids), probabilities)

    def decide(self, worker_predictions: Sequence[Predictions], rule_index: LabelIds) -> Decision:
        """As `DeferralRule.decide`, of tempered predictions on N tickets."""
        decision = self.rule.decide(worker_predictions)
        if self.least is None:
            return decision
        # Confidence that is not known is held to no threshold: such a rule has none.
        has_confidence = ~np.isnan(decision.confidence)
        doubted = has_confidence & ~at_least(decision.confidence, self.least[rule_index])
        return Decision(
            np.where(doubted, ABSTAINED, decision.label_ids),
            np.where(doubted, np.nan, decision.confidence),
        )


def alike(rule: DeferralRule) -> DeferralRule:
    """What rules that may decide together have in common: the rule itself, without a threshold."""
    return rule.lenient() if isinstance(rule, Thresholded) else rule
