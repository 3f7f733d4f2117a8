"""What is published of judged tickets under a rule before the judge and one after it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.decide.after_judge import AfterJudge
from streamer.decide.before_judge import BeforeJudge
from streamer.decide.candidate import candidate
from streamer.decide.opinion import ABSTAINED, Codes, Opinion
from streamer.decide.rounding import rounded
from streamer.decide.standing import Standing, standing
from streamer.learn.data.cases import Cases


@dataclass(frozen=True, slots=True)
class Served:
    """What the workers that are asked make of N tickets: the label that the rule accepts, and the
    likeliest by their mean, both -1 for none, and that mean [N, K], zeros for none.
    """

    accepted: Codes
    likeliest: Codes
    mean: NDArray[np.float64]

    @classmethod
    def of(cls, cases: Cases, rule: BeforeJudge) -> "Served":
        """Of tempered `cases`, as the services do it: a third worker has a say only where the first
        two leave it open.
        """
        opinions, size = cases.opinions, len(cases.labels)
        of_all = cls._by(opinions, rule, size)
        if rule.asks_all or len(opinions) < 3:
            return of_all
        third, of_two = third_asked(opinions, rule), cls._by(opinions[:2], rule, size)
        return cls(
            np.where(third, of_all.accepted, of_two.accepted),
            np.where(third, of_all.likeliest, of_two.likeliest),
            np.where(third[:, None], of_all.mean, of_two.mean),
        )

    @classmethod
    def _by(cls, opinions: Sequence[Opinion], rule: BeforeJudge, labels: int) -> "Served":
        own, accepted = candidate(opinions), rule.decide(opinions).codes
        mean = np.zeros((len(accepted), labels)) if own.ensemble is None else own.ensemble
        return cls(accepted, own.codes, rounded(mean))

    @property
    def named(self) -> Codes:
        """The workers' label in any case: the accepted one, else the likeliest."""
        return np.where(self.accepted == ABSTAINED, self.likeliest, self.accepted)

    def standing(
        self, judge: Opinion, after: AfterJudge, workers: Codes, temperature: float | None = None
    ) -> Standing:
        """What stands once the judge has answered, the workers' labels [N] being these.

        Without a `temperature` the judge's probabilities are as they are decided on. A judge that
        gives labels only counts as certain.
        """
        said = judge.probabilities
        if said is None:
            said = np.eye(self.mean.shape[1], dtype=np.float32)[judge.codes]
        return standing(after, said, temperature, workers, self.mean)


@dataclass(frozen=True, slots=True)
class Asked:
    """What follows where the judge is asked: the rule `after` it, None for the judge's own label
    always, and the judge's temperature.
    """

    after: AfterJudge | None
    temperature: float

    def labels(self, cases: Cases, rule: BeforeJudge) -> Codes:
        """[N] of tempered `cases` with the judge as it answered: the label of each, if the rule
        left all of them to the judge.
        """
        if self.after is None:
            return cases.judge.codes
        found = Served.of(cases, rule)
        stands = found.standing(cases.judge, self.after, found.likeliest, self.temperature)
        return stands.codes

    def published(self, cases: Cases, rule: BeforeJudge) -> Codes:
        """[N]: the label that the rule accepts, else what follows."""
        accepted = rule.decide(cases.opinions).codes
        return np.where(accepted == ABSTAINED, self.labels(cases, rule), accepted)


JUDGE_ALONE = Asked(None, 1.0)


def third_asked(opinions: Sequence[Opinion], rule: BeforeJudge) -> NDArray[np.bool_]:
    """[N]: where the third worker is asked after the first two."""
    return rule.decide(opinions[:2], left=1).open
