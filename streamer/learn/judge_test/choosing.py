"""Which variant to serve, by tickets on which it is not reported."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from streamer.learn.calibrate.temperature import fit_temperature
from streamer.learn.judge_test.figures import PositionBias
from streamer.learn.judge_test.variant import Answered, Price, Question, Variant
from streamer.learn.measures.interval import Interval
from streamer.learn.measures.paired_test import PairedTest
from streamer.learn.measures.scores import Labels
from streamer.learn.measures.shares import share

_POINTS = 0.02
_STEP = 1.25


@dataclass(frozen=True, slots=True)
class Tried:
    """A variant, and its `name`, on the tickets to choose on.

    `nll` is after its `temperature`, which is fitted to these same tickets. `beside` holds it
    against the one that is right most often.
    """

    name: str
    variant: Variant
    accuracy: Interval
    nll: float
    temperature: float
    price: Price
    bias: PositionBias | None
    beside: PairedTest


@dataclass(frozen=True, slots=True)
class Choice:
    """All that was `tried`, the likeliest to be right first; `chosen` among them, and why."""

    tried: tuple[Tried, ...]
    chosen: Tried
    why: str


def choose(
    variants: Sequence[Variant],
    answered: Mapping[Question, Answered],
    gold: Labels,
    labels: Sequence[str],
) -> Choice:
    """The cheapest of those whose share of right labels is within one standard error of the best,
    and within two points.

    The error is that of the difference on the same tickets (the rule of Breiman et al. 1984 for
    trees; the two points are ours: on few tickets the error is large). Of those that cost about
    the same the one that is right more often, then the one of the lower NLL. Cost is in tokens
    computed, or in seconds where nobody counts tokens.
    """
    right = {one: one.predictions(answered).label_ids == gold for one in variants}
    first = max(variants, key=lambda one: right[one].sum())
    tried = [
        _tried(one, answered, gold, labels, PairedTest.test(right[first], right[one]))
        for one in variants
    ]
    near = [one for one in tried if one.beside.lead <= min(one.beside.error, _POINTS) + 1e-12]
    chosen = min(near, key=lambda one: (_cost(one), -one.accuracy.value, one.nll))
    ranked = sorted(tried, key=lambda one: (-one.accuracy.value, _cost(one)))
    return Choice(tuple(ranked), chosen, _why(chosen, ranked[0], len(near), len(gold)))


def promising(
    variants: Sequence[Variant], answered: Mapping[Question, Answered], gold: Labels
) -> set[Question]:
    """The questions of variants that are within two standard errors of the best one: worth asking
    with the labels in other orders.
    """
    right = {one: one.predictions(answered).label_ids == gold for one in variants}
    first = max(variants, key=lambda one: right[one].sum())
    tests = {one: PairedTest.test(right[first], right[one]) for one in variants}
    return {one.question for one, test in tests.items() if test.lead <= 2 * test.error + 1e-12}


def _tried(
    variant: Variant,
    answered: Mapping[Question, Answered],
    gold: Labels,
    labels: Sequence[str],
    beside: PairedTest,
) -> Tried:
    said = variant.predictions(answered)
    fitted = fit_temperature(said, gold)
    return Tried(
        str(variant),
        variant,
        Interval.of_share(share(said.label_ids == gold)),
        fitted.after.nll,
        fitted.temperature,
        variant.price(answered),
        bias(variant, answered, labels),
        beside,
    )


def bias(
    variant: Variant, answered: Mapping[Question, Answered], labels: Sequence[str]
) -> PositionBias | None:
    """Over all orders of the labels in which it was asked; None of one."""
    count = len(labels)
    firsts = [
        first
        for first in range(count)
        if all(question in answered for question in variant.questions(count, first))
    ]
    if len(firsts) < 2 or variant.question.codes is None:
        return None
    named = [variant.predictions(answered, first).label_ids for first in firsts]
    return PositionBias.of(named, labels)


def _cost(one: Tried) -> int:
    """In steps of a quarter, so that a few tokens more in a prompt decide nothing."""
    cost = one.price.seconds if np.isnan(one.price.tokens) else one.price.tokens
    return round(float(np.log(max(cost, 1e-9)) / np.log(_STEP)))


def _why(chosen: Tried, best: Tried, near: int, tickets: int) -> str:
    if chosen.variant == best.variant:
        return f"right most often on {tickets} tickets, and none within two points costs less"
    return (
        f"the cheapest of {near} that are within two points of the best ({best.variant},"
        f" {best.accuracy.value:.3f}) on {tickets} tickets: {chosen.accuracy.value:.3f}"
    )
