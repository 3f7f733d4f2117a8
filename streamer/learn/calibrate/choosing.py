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
from streamer.learn.measures.served import JUDGE_ALONE, Asked
from streamer.learn.measures.threshold_families import Sweep, ThresholdFamily, Thresholds
from streamer.records.calibration import Guarantee

Promise = Fidelity | Accuracy


@dataclass(frozen=True, slots=True)
class FamilyOrder:
    """A family and the order in which its settings shall be tested, each asking the judge less."""

    dial: ThresholdFamily
    order: Thresholds


@dataclass(frozen=True, slots=True)
class _Tally:
    """Of M settings in order: tickets that count and those that are right, in all and by label."""

    hits: Counts
    of: Counts
    label_hits: Counts
    label_of: Counts
    judge_rate: Float64

    @classmethod
    def of_settings(
        cls, sweep: Sweep, order: Thresholds, cases: Dataset, deferred: LabelIds, wish: Promise
    ) -> "_Tally":
        """`deferred` [N] are the labels that tickets get where the judge is asked."""
        by_label = partial(np.bincount, minlength=len(cases.labels))
        rows = []
        for threshold in order:
            accepted = sweep.accepted(threshold)
            published = np.where(accepted, sweep.label_ids, deferred)
            counted, right = wish.outcomes(cases, accepted, published)
            rows.append((by_label(published[right]), by_label(published[counted]), accepted.sum()))
        hits, of, bypassed = (np.array(column) for column in zip(*rows, strict=True))
        rate = 1 - bypassed / len(cases)
        return cls(hits.sum(axis=1), of.sum(axis=1), hits, of, rate)


def best_plan(
    candidates: Sequence[tuple[ThresholdFamily, Sweep]],
    cases: Dataset,
    wish: Promise,
    asked: Asked = JUDGE_ALONE,
) -> FamilyOrder:
    """The family that would ask the judge least, by the tickets of the design half.

    Its order begins where the promise is surest, not at the judge's most work: there so few
    tickets are accepted that no test could pass. Of equals the first family is taken.
    """
    plans = [_plan(dial, sweep, cases, wish, asked) for dial, sweep in candidates]
    return min(plans, key=lambda found: found[:2])[2]


def _plan(
    dial: ThresholdFamily, sweep: Sweep, cases: Dataset, wish: Promise, asked: Asked = JUDGE_ALONE
) -> tuple[float, float, FamilyOrder]:
    """With the judge rate that its tests should reach, and the p-value of the first of them."""
    order, deferred = sweep.thresholds(), asked.labels(cases, dial.at(0.0))
    tally = _Tally.of_settings(sweep, order, cases, deferred, wish)
    p = p_values(tally.hits, tally.of, wish.at_least)
    start = int(p.argmin())
    reached = int(passed(p[start:], wish.confidence))
    rate = float(tally.judge_rate[start + reached - 1]) if reached else 1.0
    return rate, float(p[start]), FamilyOrder(dial, order[start:])


def proven(
    plan: FamilyOrder, cases: Dataset, wish: Promise, asked: Asked = JUDGE_ALONE
) -> tuple[DeferralRule | None, Guarantee]:
    """The last setting of the plan up to which every test holds, on tickets that it never saw.

    None where the first already fails: then the guarantee has that one's numbers. A label has a
    promise of its own where its own tests hold up to the same setting; its confidence is its own,
    too, and not one for all labels together.
    """
    sweep, deferred = (
        plan.dial.sweep(cases.worker_predictions),
        asked.labels(cases, plan.dial.at(0.0)),
    )
    tally = _Tally.of_settings(sweep, plan.order, cases, deferred, wish)
    count = int(passed(p_values(tally.hits, tally.of, wish.at_least), wish.confidence))
    last = max(count - 1, 0)
    labels = passed(p_values(tally.label_hits, tally.label_of, wish.at_least), wish.confidence)
    alone = [code for code in range(len(cases.labels)) if 0 < count <= labels[code]]
    hits, of = int(tally.hits[last]), int(tally.of[last])
    guarantee = Guarantee(
        holds=count > 0,
        method=METHOD,
        measure=wish.recorded.measure,
        at_least=wish.at_least,
        confidence=wish.confidence,
        hits=hits,
        rows=of,
        bound=lower_bound(hits, of, wish.confidence),
        labels={cases.labels[code]: int(tally.label_of[last, code]) for code in alone},
        pooled=tuple(name for code, name in enumerate(cases.labels) if code not in alone),
    )
    return (plan.dial.at(float(plan.order[last])) if count else None), guarantee


def within_budget(
    candidates: Sequence[tuple[ThresholdFamily, Sweep]], cases: Dataset, share: float
) -> DeferralRule | None:
    """The setting that differs from the judge least often and asks it for at most this share."""
    best, least = None, 1.1
    for dial, sweep in candidates:
        threshold = sweep.threshold_for(share)
        if threshold is not None:
            accepted = sweep.accepted(threshold)
            differs = float((accepted & (sweep.label_ids != cases.judge.label_ids)).mean())
            if differs < least:
                best, least = dial.at(threshold), differs
    return best
