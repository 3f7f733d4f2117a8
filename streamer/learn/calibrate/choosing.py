"""Choosing one setting of many, and testing what it promises."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from streamer.decide.deferral_rule import DeferralRule
from streamer.decide.predictions import LabelIds
from streamer.learn.calibrate.targets import Accuracy, Fidelity
from streamer.learn.data.dataset import Dataset
from streamer.learn.measures.exact_tests import (
    METHOD,
    Counts,
    Float64,
    lower_bound,
    p_values,
    passed,
)
from streamer.learn.measures.served import JUDGE_ALONE, JudgePolicy
from streamer.learn.measures.threshold_families import Sweep, ThresholdFamily, Thresholds
from streamer.records.calibration import Guarantee

Promise = Fidelity | Accuracy


@dataclass(frozen=True, slots=True)
class FamilyOrder:
    """A family and the order in which its settings shall be tested, each asking the judge less."""

    family: ThresholdFamily
    order: Thresholds


@dataclass(frozen=True, slots=True)
class _Tally:
    """Of M settings in order: tickets that count and those that are right, in all and by label."""

    hits: Counts
    totals: Counts
    label_hits: Counts
    label_totals: Counts
    judge_rate: Float64

    @classmethod
    def of_settings(
        cls, sweep: Sweep, order: Thresholds, dataset: Dataset, deferred: LabelIds, promise: Promise
    ) -> "_Tally":
        """`deferred` [N] are the labels that tickets get where the judge is asked."""
        by_label = partial(np.bincount, minlength=len(dataset.labels))
        rows = []
        for threshold in order:
            accepted = sweep.accepted(threshold)
            published = np.where(accepted, sweep.label_ids, deferred)
            counted, right = promise.outcomes(dataset, accepted, published)
            rows.append((by_label(published[right]), by_label(published[counted]), accepted.sum()))
        hits, totals, bypassed = (np.array(column) for column in zip(*rows, strict=True))
        rate = 1 - bypassed / len(dataset)
        return cls(hits.sum(axis=1), totals.sum(axis=1), hits, totals, rate)


def best_order(
    candidates: Sequence[tuple[ThresholdFamily, Sweep]],
    dataset: Dataset,
    promise: Promise,
    judge_policy: JudgePolicy = JUDGE_ALONE,
) -> FamilyOrder:
    """The family that would ask the judge least, by the tickets of the design half.

    Its order begins where the promise is surest, not at the judge's most work: there so few
    tickets are accepted that no test could pass. Of equals the first family is taken.
    """
    orders = [_order(family, sweep, dataset, promise, judge_policy) for family, sweep in candidates]
    return min(orders, key=lambda ranked: ranked[:2])[2]


def _order(
    family: ThresholdFamily,
    sweep: Sweep,
    dataset: Dataset,
    promise: Promise,
    judge_policy: JudgePolicy = JUDGE_ALONE,
) -> tuple[float, float, FamilyOrder]:
    """With the judge rate that its tests should reach, and the p-value of the first of them."""
    order, deferred = sweep.thresholds(), judge_policy.labels(dataset, family.at(0.0))
    tally = _Tally.of_settings(sweep, order, dataset, deferred, promise)
    p = p_values(tally.hits, tally.totals, promise.at_least)
    start = int(p.argmin())
    reached = int(passed(p[start:], promise.confidence))
    rate = float(tally.judge_rate[start + reached - 1]) if reached else 1.0
    return rate, float(p[start]), FamilyOrder(family, order[start:])


def proven(
    chosen: FamilyOrder, dataset: Dataset, promise: Promise, judge_policy: JudgePolicy = JUDGE_ALONE
) -> tuple[DeferralRule | None, Guarantee]:
    """The last setting of the plan up to which every test holds, on tickets that it never saw.

    None where the first already fails: then the guarantee has that one's numbers. A label has a
    promise of its own where its own tests hold up to the same setting; its confidence is its own,
    too, and not one for all labels together.
    """
    sweep, deferred = (
        chosen.family.sweep(dataset.worker_predictions),
        judge_policy.labels(dataset, chosen.family.at(0.0)),
    )
    tally = _Tally.of_settings(sweep, chosen.order, dataset, deferred, promise)
    count = int(passed(p_values(tally.hits, tally.totals, promise.at_least), promise.confidence))
    last = max(count - 1, 0)
    labels = passed(
        p_values(tally.label_hits, tally.label_totals, promise.at_least), promise.confidence
    )
    alone = [label_id for label_id in range(len(dataset.labels)) if 0 < count <= labels[label_id]]
    hits, total = int(tally.hits[last]), int(tally.totals[last])
    guarantee = Guarantee(
        holds=count > 0,
        method=METHOD,
        measure=promise.recorded.measure,
        at_least=promise.at_least,
        confidence=promise.confidence,
        hits=hits,
        rows=total,
        bound=lower_bound(hits, total, promise.confidence),
        labels={
            dataset.labels[label_id]: int(tally.label_totals[last, label_id]) for label_id in alone
        },
        pooled=tuple(name for label_id, name in enumerate(dataset.labels) if label_id not in alone),
    )
    return (chosen.family.at(float(chosen.order[last])) if count else None), guarantee


def within_budget(
    candidates: Sequence[tuple[ThresholdFamily, Sweep]], dataset: Dataset, share: float
) -> DeferralRule | None:
    """The setting that differs from the judge least often and asks it for at most this share."""
    best, least = None, 1.1
    for family, sweep in candidates:
        threshold = sweep.threshold_for(share)
        if threshold is not None:
            accepted = sweep.accepted(threshold)
            differs = float((accepted & (sweep.label_ids != dataset.judge.label_ids)).mean())
            if differs < least:
                best, least = family.at(threshold), differs
    return best
