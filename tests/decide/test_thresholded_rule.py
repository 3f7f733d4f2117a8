"""Several thresholds of one rule beside each rule by itself."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from streamer.decide.chow import Chow
from streamer.decide.deferral_rule import DeferralRule
from streamer.decide.predictions import ABSTAINED, Predictions
from streamer.decide.temperature import tempered
from streamer.decide.third_worker import asked_first
from streamer.decide.thresholded_rule import ThresholdedRule, alike
from streamer.decide.votes import Measure, VoteRule
from tests.decide.drawn_ballots import router

THRESHOLDS = (0.0, 0.35, 0.6, 0.9)
NONE = np.nan
TEMPERATURES = np.array([[NONE, NONE, 1], [0.5, 1, 2], [2, 3, NONE], [1.5, 1, NONE]])
RULES: dict[str, list[DeferralRule]] = {
    "majority": [VoteRule("majority", 3)] * 4,
    **{
        f"{kind} {measure}": [VoteRule(kind, 3, measure, one) for one in THRESHOLDS]
        for kind in ("majority", "unanimity")
        for measure in get_args(Measure)
    },
    "chow": [Chow(1 - one, 3) for one in THRESHOLDS],
    "chow of one": [Chow(1 - one, 3, 1) for one in THRESHOLDS],
}


def planted(seed: int, labels_only: bool = False) -> list[Predictions]:
    random = np.random.default_rng(seed)
    found = []
    for _ in range(3):
        raw = random.dirichlet(np.full(4, 0.4), size=300).astype(np.float32)
        raw[random.random(300) < 0.05] = np.nan
        predictions = tempered(Predictions.of(raw), 1)
        found.append(predictions.labels_only() if labels_only else predictions)
    return found


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("seed", range(5))
def test_each_ticket_is_decided_as_by_its_rule_alone(name: str, seed: int) -> None:
    rules, worker_predictions = RULES[name], planted(seed)
    asked = 3 if seed % 2 else asked_first(rules[0])
    rule_index = np.random.default_rng(seed).integers(len(rules), size=300)
    thresholded = ThresholdedRule.of(rules, TEMPERATURES)
    warm = [
        thresholded.tempered(place, predictions, rule_index)
        for place, predictions in enumerate(worker_predictions)
    ]
    made = thresholded.decide(warm[:asked], rule_index)
    for at, rule in enumerate(rules):
        rows = np.flatnonzero(rule_index == at)
        pairs = zip(worker_predictions, TEMPERATURES[at], strict=True)
        some = [o[rows] if np.isnan(t) else tempered(o[rows], float(t)) for o, t in pairs]
        alone = rule.decide(some[:asked])
        for one, other in zip(some, warm, strict=True):
            np.testing.assert_array_equal(one.probabilities, other[rows].probabilities)
        np.testing.assert_array_equal(made.label_ids[rows], alone.label_ids)
        np.testing.assert_array_equal(made.confidence[rows], alone.confidence)


def test_votes_without_probabilities_stand_by_a_rule_that_wants_none() -> None:
    worker_predictions = planted(1, labels_only=True)
    thresholded = ThresholdedRule.of([VoteRule("majority", 3)] * 2, np.ones((2, 3)))
    rule_index = np.arange(300) % 2
    plain = VoteRule("majority", 3).decide(worker_predictions)
    assert (plain.label_ids != ABSTAINED).any()
    np.testing.assert_array_equal(
        thresholded.decide(worker_predictions, rule_index).label_ids, plain.label_ids
    )


def test_rules_that_differ_in_more_are_refused() -> None:
    one = VoteRule("majority", 3, "mean", 0.5)
    for other in (VoteRule("unanimity", 3, "mean", 0.5), replace(one, measure="min"), Chow(0.1, 3)):
        assert alike(one) != alike(other)
        with pytest.raises(ValueError, match="differ"):
            ThresholdedRule.of([one, other], np.ones((2, 3)))


def test_a_rule_without_thresholds_decides_alone_or_not_at_all() -> None:
    rule, worker_predictions = router(np.random.default_rng(1), 3), planted(2)
    found = ThresholdedRule.of([rule], np.ones((1, 3))).decide(
        worker_predictions, np.zeros(300, np.int64)
    )
    expected = rule.decide(worker_predictions)
    assert (expected.label_ids != ABSTAINED).any()
    np.testing.assert_array_equal(found.label_ids, expected.label_ids)
    np.testing.assert_array_equal(found.confidence, expected.confidence)
    for others in ([rule, rule], [rule, VoteRule("majority", 3)]):
        with pytest.raises(ValueError, match="differ"):
            ThresholdedRule.of(others, np.ones((2, 3)))


@pytest.mark.parametrize("heat", [NONE, 0.5, 2.0])
def test_a_single_rule_tempers_each_worker_by_its_own_temperature(heat: float) -> None:
    raw, rule = planted(3)[1], VoteRule("majority", 3, "mean", 0.6)
    found = ThresholdedRule.of([rule], np.array([[1.0, heat, 3.0]])).tempered(
        1, raw, np.zeros(300, np.int64)
    )
    expected = raw if np.isnan(heat) else tempered(raw, heat)
    np.testing.assert_array_equal(found.probabilities, expected.probabilities)
    np.testing.assert_array_equal(found.label_ids, expected.label_ids)


def test_two_segments_have_each_their_own_temperature() -> None:
    raw, rule = planted(4)[0], VoteRule("majority", 3, "mean", 0.6)
    rules = [rule, replace(rule, at_least=0.7)]
    rule_index = np.arange(300) % 2
    found = ThresholdedRule.of(rules, np.array([[0.5] * 3, [2.0] * 3])).tempered(0, raw, rule_index)
    for at, heat in enumerate((0.5, 2.0)):
        rows = np.flatnonzero(rule_index == at)
        expected = tempered(raw[rows], heat)
        np.testing.assert_array_equal(found[rows].probabilities, expected.probabilities)


def test_rules_are_alike_by_the_one_of_them_that_accepts_everything() -> None:
    assert alike(VoteRule("majority", 3, "mean", 0.7)) == VoteRule("majority", 3, "mean", 0.0)
    assert alike(Chow(0.3, 3, 1)) == Chow(1.0, 3, 1)
    rule = router(np.random.default_rng(1), 3)
    assert alike(rule) == rule
