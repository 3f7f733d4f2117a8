"""Whose label stands after the judge, by many rules on the same tickets, by cross-fitting."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from streamer.decide.arbitration_rule import arbitration_rule
from streamer.decide.calibrated import calibrated_rule
from streamer.decide.deferral_rule import DeferralRule
from streamer.decide.temperature import tempered
from streamer.learn.calibrate.calibrate import Targets, calibrate
from streamer.learn.calibrate.targets import Margin
from streamer.learn.data.dataset import UNKNOWN, Dataset
from streamer.learn.measures.non_inferiority import PairedCounts
from streamer.learn.measures.served import Served
from streamer.records.calibration import Calibration
from streamer.records.label import JUDGE_STANDS, After

FOLDS = 5

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Arbitrated:
    """Of N tickets with a known truth: whether the published label is right by each of A rules
    after the judge [A, N], and by the judge's own [N]. `folds` [N] says which tickets go together.
    """

    right: Mask
    alone: Mask
    folds: NDArray[np.int64]

    def counts(self, rule: int, rows: Mask | slice = slice(None)) -> PairedCounts:
        """A rule, by its index, beside the judge's own label, on some of the tickets."""
        return _counts(self.right[rule][rows], self.alone[rows])

    def proven(self, margin: Margin) -> int:
        """How many rules in order are no worse than the margin: one that fails ends it."""
        for rule in range(len(self.right)):
            if self.counts(rule).chance(-margin.share) > 1 - margin.confidence:
                return rule
        return len(self.right)

    def best(self, among: int, confidence: float, rows: Mask | slice = slice(None)) -> int:
        """The rule, of the first ones, whose lead over the judge's own label has the greatest lower
        bound: the greatest lead itself is more often luck.
        """
        bounds = [self.counts(rule, rows).bound(confidence) for rule in range(among)]
        return int(np.argmax(bounds))

    def gain(self, among: int, confidence: float) -> PairedCounts:
        """What choosing the best of the first ones is worth: on each fold by the other folds."""
        right = self.alone.copy()
        for fold in np.unique(self.folds):
            here = self.folds == fold
            best = self.best(among, confidence, ~here)
            if self.counts(best, ~here).lead > 0:
                right[here] = self.right[best][here]
        return _counts(right, self.alone)


def arbitrated(
    dataset: Dataset, rules: Sequence[After], targets: Targets, folds: int = FOLDS
) -> Arbitrated:
    """Each of `rules` on judged `dataset`, by cross-fitting: the rule before the judge and all
    temperatures are those that the other folds' tickets lead to for `targets`.
    """
    mine = np.array([fold_of(name, folds) for name in dataset.ids])
    parts = []
    for fold in range(folds):
        others = dataset[np.flatnonzero(mine != fold)]
        # Other names, so that they are halved anew: all may be of one half already.
        others = replace(others, ids=tuple(f"fold {fold}: {name}" for name in others.ids))
        made = calibrate(others, targets, made_at="")
        known = dataset[np.flatnonzero((mine == fold) & (dataset.gold != UNKNOWN))]
        parts.append(_part(made, known, rules, fold))
    right, alone, numbers = (np.concatenate(each, axis=-1) for each in zip(*parts, strict=True))
    return Arbitrated(right, alone, numbers)


def _part(
    made: Calibration, known: Dataset, rules: Sequence[After], fold: int
) -> tuple[Mask, Mask, NDArray[np.int64]]:
    warm = [made.models[name].temperature for name in known.workers]
    pairs = zip(known.worker_predictions, warm, strict=True)
    served = replace(known, worker_predictions=tuple(tempered(each, t) for each, t in pairs))
    right, alone = standing(served, calibrated_rule(made), rules, made.judge.temperature)
    return right, alone, np.full(len(known), fold)


def standing(
    dataset: Dataset,
    rule: DeferralRule,
    rules: Sequence[After],
    temperature: float | None = None,
) -> tuple[Mask, Mask]:
    """Of tempered tickets with a known truth: whether what is published under the rule before the
    judge is right, by each of the rules after it [A, N] and by the judge's own label [N].
    """
    accepted, deferred = Served.of(dataset, rule), Served.deferred(dataset, rule)
    labels = [
        deferred.arbitrated(
            dataset.judge, arbitration_rule(after.kind, after.alpha), temperature
        ).label_ids
        for after in (JUDGE_STANDS, *rules)
    ]
    published = np.where(accepted.decide, np.stack(labels), accepted.published)
    alone, *right = published == dataset.gold
    return np.array(right), alone


def fold_of(name: str, folds: int = FOLDS) -> int:
    """A ticket's fold, by a hash of its id."""
    return blake2b(f"folds\0{name}".encode()).digest()[0] % folds


def _counts(right: Mask, alone: Mask) -> PairedCounts:
    return PairedCounts(len(right), int((right & ~alone).sum()), int((alone & ~right).sum()))
