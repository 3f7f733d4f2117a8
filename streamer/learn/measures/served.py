"""What is published of judged tickets under a rule before the judge and one after it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.decide.arbitration import Arbitration, arbitrate
from streamer.decide.arbitration_rules import ArbitrationRule
from streamer.decide.candidate import candidate
from streamer.decide.deferral_rule import DeferralRule
from streamer.decide.predictions import ABSTAINED, LabelIds, Predictions
from streamer.decide.rounding import rounded
from streamer.learn.data.dataset import Dataset


@dataclass(frozen=True, slots=True)
class Served:
    """What the workers that are asked make of N tickets: the label that the rule accepts, and the
    likeliest by their mean, both -1 for none, and that mean [N, K], zeros for none.
    """

    accepted: LabelIds
    likeliest: LabelIds
    mean: NDArray[np.float64]

    @classmethod
    def of(cls, cases: Dataset, rule: DeferralRule) -> "Served":
        """Of tempered `cases`, as the services do it: a third worker has a say only where the first
        two leave it open.
        """
        worker_predictions, size = cases.worker_predictions, len(cases.labels)
        of_all = cls._by(worker_predictions, rule, size)
        if rule.asks_all or len(worker_predictions) < 3:
            return of_all
        third, of_two = (
            third_asked(worker_predictions, rule),
            cls._by(worker_predictions[:2], rule, size),
        )
        return cls(
            np.where(third, of_all.accepted, of_two.accepted),
            np.where(third, of_all.likeliest, of_two.likeliest),
            np.where(third[:, None], of_all.mean, of_two.mean),
        )

    @classmethod
    def _by(
        cls, worker_predictions: Sequence[Predictions], rule: DeferralRule, labels: int
    ) -> "Served":
        own, accepted = candidate(worker_predictions), rule.decide(worker_predictions).label_ids
        mean = np.zeros((len(accepted), labels)) if own.ensemble is None else own.ensemble
        return cls(accepted, own.label_ids, rounded(mean))

    @property
    def named(self) -> LabelIds:
        """The workers' label in any case: the accepted one, else the likeliest."""
        return np.where(self.accepted == ABSTAINED, self.likeliest, self.accepted)

    def standing(
        self,
        judge: Predictions,
        after: ArbitrationRule,
        workers: LabelIds,
        temperature: float | None = None,
    ) -> Arbitration:
        """What stands once the judge has answered, the workers' labels [N] being these.

        Without a `temperature` the judge's probabilities are as they are decided on. A judge that
        gives labels only counts as certain.
        """
        said = judge.probabilities
        if said is None:
            said = np.eye(self.mean.shape[1], dtype=np.float32)[judge.label_ids]
        return arbitrate(after, said, temperature, workers, self.mean)


@dataclass(frozen=True, slots=True)
class Asked:
    """What follows where the judge is asked: the rule `after` it, None for the judge's own label
    always, and the judge's temperature.
    """

    after: ArbitrationRule | None
    temperature: float

    def labels(self, cases: Dataset, rule: DeferralRule) -> LabelIds:
        """[N] of tempered `cases` with the judge as it answered: the label of each, if the rule
        left all of them to the judge.
        """
        if self.after is None:
            return cases.judge.label_ids
        found = Served.of(cases, rule)
        stands = found.standing(cases.judge, self.after, found.likeliest, self.temperature)
        return stands.label_ids

    def published(self, cases: Dataset, rule: DeferralRule) -> LabelIds:
        """[N]: the label that the rule accepts, else what follows."""
        accepted = rule.decide(cases.worker_predictions).label_ids
        return np.where(accepted == ABSTAINED, self.labels(cases, rule), accepted)


JUDGE_ALONE = Asked(None, 1.0)


def third_asked(worker_predictions: Sequence[Predictions], rule: DeferralRule) -> NDArray[np.bool_]:
    """[N]: where the third worker is asked after the first two."""
    return rule.decide(worker_predictions[:2], left=1).open
