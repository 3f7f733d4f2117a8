"""What holds for every rule that can spare the judge."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.decide.calibrated import recorded_rule
from streamer.decide.chow import Chow
from streamer.decide.deferral_rule import DeferralRule
from streamer.decide.predictions import ABSTAINED, Predictions
from streamer.decide.router import Router
from streamer.decide.temperature import tempered
from streamer.decide.thresholded_rule import ThresholdedRule
from streamer.decide.votes import Kind, Measure, VoteRule
from streamer.records.calibration import RouterWeights
from streamer.records.label import Rule

LABELS = 3
VOTES = (ABSTAINED, *range(LABELS))
RULES: list[DeferralRule] = [
    VoteRule("majority", 3),
    VoteRule("unanimity", 3),
    VoteRule("majority", 3, "ensemble", 0.5),
    Chow(0.5, 3),
    Chow(0.5, 3, 1),
]


def certain(votes: Sequence[int]) -> list[Predictions]:
    """Of one ticket: each worker is sure of its label, or abstains."""
    vectors = np.eye(LABELS, dtype=np.float32)
    return [Predictions.none(1) if v == ABSTAINED else Predictions.of(vectors[[v]]) for v in votes]


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_a_label_can_stand_exactly_where_the_rule_says_that_one_can(rule: DeferralRule) -> None:
    for answering in itertools.product([True, False], repeat=rule.of):
        votes = [0 if answers else ABSTAINED for answers in answering]
        stands = rule.decide(certain(votes)).label_ids[0] == 0
        assert stands == rule.decidable(answering)


def test_a_label_carries_the_rule_with_the_name_of_the_worker_that_decides() -> None:
    names = ("word", "char", "net")
    assert [rule.described(names) for rule in RULES] == [
        Rule("majority", 2, 3),
        Rule("unanimity", 3, 3),
        Rule("majority", 2, 3, "ensemble", 0.5),
        Rule("chow", 3, 3, alpha=0.5),
        Rule("chow", 1, 3, alpha=0.5, worker="char"),
    ]


def test_one_workers_rule_sees_that_worker_alone() -> None:
    print("seed 1")
    rng = np.random.default_rng(1)
    worker_predictions = [
        Predictions.of(rng.dirichlet(np.ones(LABELS), 1000).astype(np.float32)) for _ in range(3)
    ]
    alone = Chow(0.4, 1).decide([worker_predictions[2]])
    for others in (
        worker_predictions[:2],
        [Predictions.none(1000)] * 2,
        [worker_predictions[0].labels_only()] * 2,
    ):
        decision = Chow(0.4, 3, worker=2).decide([*others, worker_predictions[2]])
        assert (decision.label_ids == alone.label_ids).all()
        assert np.array_equal(decision.confidence, alone.confidence, equal_nan=True)
    with pytest.raises(ValueError, match="no worker has index 3"):
        Chow(0.4, 3, worker=3)


ALPHAS = {  # where Chow's rule on the vote share is the vote: from, and up to but not including
    ("majority", 2): (Fraction(0), Fraction(1, 2)),
    ("majority", 3): (Fraction(1, 3), Fraction(2, 3)),
    ("unanimity", 3): (Fraction(0), Fraction(1, 3)),
}


@settings(max_examples=50, derandomize=True, deadline=None)
@given(kind_of=st.sampled_from(sorted(ALPHAS)), place=st.fractions(0, 1, max_denominator=60))
def test_a_vote_is_chows_rule_on_the_share_of_votes(
    kind_of: tuple[Kind, int], place: Fraction
) -> None:
    kind, of = kind_of
    least, below = ALPHAS[kind_of]
    alpha = least + place * (below - least) * Fraction(59, 60)
    for votes in itertools.product(VOTES, repeat=of):
        shares = [Fraction(votes.count(label), of) for label in range(LABELS)]
        expected = shares.index(max(shares)) if max(shares) >= 1 - alpha else ABSTAINED
        assert VoteRule(kind, of).decide(certain(votes)).label_ids[0] == expected


def sure_of(threshold: float) -> dict[str, DeferralRule]:
    """Every kind of rule that accepts what is that sure."""
    measures: tuple[Measure, ...] = get_args(Measure)
    votes: tuple[Kind, ...] = get_args(Kind)
    named: dict[str, DeferralRule] = {
        f"{kind} {measure}": VoteRule(kind, 3, measure, threshold)
        for kind in votes
        for measure in measures
    }
    chows = {"chow": Chow(1 - threshold, 3), "chow of one": Chow(1 - threshold, 3, 2)}
    # With no weight on any signal, the intercept alone says how sure this router is.
    weights = RouterWeights((1.0,) * 3, 0.0, (0.0,) * 10, (0.0,) * LABELS)
    sure = replace(weights, intercept=math.log((1 - threshold) / threshold))
    return {**named, **chows, "router": Router(sure, 1 - threshold)}


@pytest.mark.parametrize("rule", [*RULES, *sure_of(0.5).values()], ids=str)
def test_the_quorum_is_the_fewest_workers_whose_answers_let_a_label_stand(
    rule: DeferralRule,
) -> None:
    answering = itertools.product([True, False], repeat=rule.of)
    assert rule.quorum == min(sum(each) for each in answering if rule.decidable(each))


SURE = sorted(sure_of(0.5))
AT_ALL = [percent / 100 for percent in range(34, 100)]


def alike(threshold: float) -> list[Predictions]:
    """Three workers that are exactly that sure of one label, as their vectors are rounded."""
    rest = (1 - threshold) / 2
    raw = np.array([[rest, threshold, rest]], np.float32)
    return [tempered(Predictions.of(raw), 1)] * 3


@pytest.mark.parametrize("name", SURE)
def test_at_least_is_met_by_equality(name: str) -> None:
    for threshold in AT_ALL:
        rule = sure_of(threshold)[name]
        found = rule.decide(alike(threshold))
        assert found.label_ids.tolist() == [1], threshold
        assert round(float(found.confidence[0]), 5) == threshold
        read = recorded_rule(rule.described("abc"), "abc", getattr(rule, "weights", None))
        assert read.decide(alike(threshold)).label_ids.tolist() == [1], threshold


@pytest.mark.parametrize("name", SURE)
def test_the_smallest_step_below_goes_to_the_judge(name: str) -> None:
    for threshold in AT_ALL:
        rule = sure_of(threshold)[name]
        if isinstance(rule, Router):
            rule = replace(rule, at_most=rule.at_most - 1e-5)
        found = rule.decide(alike(threshold - 1e-5))
        assert found.label_ids.tolist() == [ABSTAINED], threshold


@pytest.mark.parametrize("name", [name for name in SURE if name != "router"])
def test_several_thresholds_of_one_rule_are_met_by_equality(name: str) -> None:
    thresholded = ThresholdedRule.of(
        [sure_of(each)[name] for each in AT_ALL], np.full((len(AT_ALL), 3), np.nan)
    )
    for place, threshold in enumerate(AT_ALL):
        for sure, expected in ((threshold, 1), (threshold - 1e-5, ABSTAINED)):
            found = thresholded.decide(alike(sure), np.array([place]))
            assert found.label_ids.tolist() == [expected], threshold


def test_two_of_three_are_a_majority_although_floats_deny_it() -> None:
    assert not 2 / 3 >= 1 - 1 / 3
    assert Chow(1 / 3, 1).accepts(np.array([[2 / 3, 1 / 3]]))[0]
    assert VoteRule("majority", 3).decide(certain((1, 2, 1))).label_ids[0] == 1
