"""What is published of judged tickets under a rule before the judge and one after it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from streamer.decide.arbitration import Arbitration, arbitrate
from streamer.decide.arbitration_rules import ArbitrationRule
from streamer.decide.candidate import workers_candidate
from streamer.decide.decision import Decision
from streamer.decide.deferral_rule import DeferralRule
from streamer.decide.disposition import dispose
from streamer.decide.predictions import ABSTAINED, LabelIds, Predictions
from streamer.decide.rounding import rounded
from streamer.decide.sampling import Sample
from streamer.decide.serving_policy import ServingPolicy
from streamer.decide.third_worker import as_asked
from streamer.decide.vote_result import Mask
from streamer.learn.data.dataset import Dataset
from streamer.records.log import Mode


@dataclass(frozen=True, slots=True)
class Served:
    """Of N tickets [N]: the label that is published before the judge has spoken, the workers'
    candidate in any case, both -1 for none, and whether the judge verifies what is published; and
    the workers' mean [N, K], zeros for none.
    """

    published: LabelIds
    candidate: LabelIds
    verify: Mask
    mean: NDArray[np.float64]

    @classmethod
    def of(cls, dataset: Dataset, rule: DeferralRule, mode: Mode = "sequential") -> "Served":
        """Of tempered `dataset`, with no outage and no budget; whatever can be verified is."""
        return cls._decided(dataset, rule, rule.decide, ServingPolicy(mode))

    @classmethod
    def deferred(cls, dataset: Dataset, rule: DeferralRule) -> "Served":
        """The same, had the rule accepted nothing of what it asks the workers."""
        return cls._decided(dataset, rule, _nothing, ServingPolicy())

    @classmethod
    def _decided(
        cls,
        dataset: Dataset,
        rule: DeferralRule,
        decide: Callable[[Sequence[Predictions]], Decision],
        policy: ServingPolicy,
    ) -> "Served":
        count = len(dataset)
        served = cls(
            published=np.full(count, ABSTAINED),
            candidate=np.full(count, ABSTAINED),
            verify=np.zeros(count, np.bool_),
            mean=np.zeros((count, len(dataset.labels))),
        )
        sample = replace(Sample.none(count), verify=np.ones(count, np.bool_))
        for rows, predictions in as_asked(rule, dataset.worker_predictions):
            decision = decide(predictions)
            candidate = workers_candidate(decision, predictions, policy, mean=True)
            disposition = dispose(decision, candidate, policy, sample[rows])
            served.published[rows] = disposition.published.label_ids
            served.candidate[rows] = candidate.label_ids
            served.verify[rows] = disposition.verify
            if candidate.ensemble is not None:
                served.mean[rows] = rounded(candidate.ensemble)
        return served

    @property
    def decide(self) -> Mask:
        """[N]: where the judge decides."""
        return np.asarray(self.published == ABSTAINED)

    def arbitrated(
        self, judge: Predictions, after: ArbitrationRule, temperature: float | None = None
    ) -> Arbitration:
        """What stands once the judge has answered.

        Without a `temperature` the judge's probabilities are as they are decided on. A judge that
        gives labels only counts as certain.
        """
        probabilities = judge.probabilities
        if probabilities is None:
            probabilities = np.eye(self.mean.shape[1], dtype=np.float32)[judge.label_ids]
        return arbitrate(after, probabilities, temperature, self.candidate, self.mean)


@dataclass(frozen=True, slots=True)
class JudgePolicy:
    """What follows where the judge is asked: the rule `after` it, None for the judge's own label
    always, and the judge's temperature.
    """

    after: ArbitrationRule | None
    temperature: float

    def labels(self, dataset: Dataset, rule: DeferralRule) -> LabelIds:
        """[N] of tempered `dataset` with the judge as it answered: the label of each, if the rule
        left all of them to the judge.
        """
        if self.after is None:
            return dataset.judge.label_ids
        served = Served.deferred(dataset, rule)
        return served.arbitrated(dataset.judge, self.after, self.temperature).label_ids

    def published(self, dataset: Dataset, rule: DeferralRule) -> LabelIds:
        """[N]: the label that the rule accepts, else what follows."""
        served = Served.of(dataset, rule)
        return np.where(served.decide, self.labels(dataset, rule), served.published)


JUDGE_ALONE = JudgePolicy(None, 1.0)


def _nothing(predictions: Sequence[Predictions]) -> Decision:
    return Decision.none(len(predictions[0].label_ids))
