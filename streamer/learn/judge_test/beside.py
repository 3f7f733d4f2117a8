"""What there is without the judge: the workers alone, the nearest neighbours; and the cascade."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from streamer.decide.deferral_rule import DeferralRule
from streamer.decide.predictions import Predictions
from streamer.learn.measures.interval import Interval
from streamer.learn.measures.scores import Labels
from streamer.learn.measures.shares import figures, share


@dataclass(frozen=True, slots=True)
class Alone:
    """How often one is right by itself, and how often it says what the judge says."""

    name: str
    accuracy: Interval
    agreement: Interval


@dataclass(frozen=True, slots=True)
class Cascade:
    """What follows from the workers' votes under `rule`, and the judge's label on the rest.

    `coverage` is the share that needs no judge, `fidelity` the share of those that the judge would
    label alike, `accuracy` that of all.
    """

    rule: str
    coverage: Interval
    fidelity: Interval
    accuracy: Interval

    @classmethod
    def of(
        cls, workers: Mapping[str, Predictions], rule: DeferralRule, judge: Labels, gold: Labels
    ) -> "Cascade":
        """Label ids [N] of the judge and the truth."""
        accepted = rule.decide(tuple(workers.values())).label_ids
        said = figures(accepted, judge, gold)
        return cls(
            str(rule.described(tuple(workers)).kind),
            *map(Interval.of_share, (said.coverage, said.fidelity, said.accuracy)),
        )


def alone(name: str, label_ids: Labels, judge: Labels, gold: Labels) -> Alone:
    """Label ids [N] each."""
    right, same = share(label_ids == gold), share(label_ids == judge)
    return Alone(name, Interval.of_share(right), Interval.of_share(same))


def commonest(gold: Labels, size: int) -> Labels:
    """[N]: the label that most tickets have, for all."""
    return np.full(len(gold), np.bincount(gold, minlength=size).argmax())
