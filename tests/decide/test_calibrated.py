"""Of a record comes the rule that wrote it."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from streamer.decide.calibrated import calibrated_rule, judge_all, recorded_rule
from streamer.decide.chow import Chow
from streamer.decide.deferral_rule import DeferralRule
from streamer.decide.predictions import ABSTAINED, Predictions
from streamer.decide.router import Router
from streamer.decide.third_worker import asked_first
from streamer.decide.votes import Measure, VoteRule
from streamer.records.calibration import RouterWeights
from streamer.records.label import Rule
from tests.records.test_calibration import MADE, WEIGHTS

NAMES = ("one", "two", "three")
THREE = RouterWeights((1.0,) * 3, 0.5, (0.1,) * 10, (0.0, 0.5))
RULES: list[DeferralRule] = [
    VoteRule("majority", 3),
    VoteRule("unanimity", 3),
    VoteRule("majority", 2),
    *(VoteRule("majority", 3, measure, 0.75) for measure in get_args(Measure)),
    VoteRule("unanimity", 3, "mean", 0.0),
    Chow(0.25, 3),
    Chow(0.25, 3, 2),
    Chow(0.25, 3, 0),
]


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_a_described_rule_is_made_again(rule: DeferralRule) -> None:
    assert recorded_rule(rule.described(NAMES), NAMES) == rule


def test_a_router_is_made_again_with_its_weights() -> None:
    rule = Router(THREE, 0.25)
    assert recorded_rule(rule.described(NAMES), NAMES, THREE) == rule


def test_a_worker_that_decides_alone_is_found_by_its_name() -> None:
    described = Chow(0.25, 3, 2).described(NAMES)
    assert recorded_rule(described, ("three", "one", "two")) == Chow(0.25, 3, 0)


@pytest.mark.parametrize(
    "rule",
    [
        Rule("oracle", 2, 3),
        Rule("majority", 2, 3, measure="of a later release", at_least=0.5),
        Rule("chow", 3, 3),
        Rule("router", 3, 3, at_least=0.5),
        Rule("router", 3, 3),
    ],
    ids=str,
)
def test_what_is_unknown_or_not_whole_is_refused(rule: Rule) -> None:
    with pytest.raises(ValueError, match=r"no rule can be made of .*calibrate again"):
        recorded_rule(rule, NAMES, WEIGHTS if rule.at_least is None else None)


def test_another_kind_is_refused_whatever_it_carries() -> None:
    with pytest.raises(ValueError, match="no rule can be made of"):
        recorded_rule(Rule("oracle", 2, 2, at_least=0.5, alpha=0.5), NAMES[:2], WEIGHTS)


@pytest.mark.parametrize("of", [1, 2, 3])
def test_judge_all_asks_every_worker_and_accepts_nothing(of: int) -> None:
    certain = Predictions.of(np.array([[0.0, 1.0], [1.0, 0.0]], np.float32))
    for rule in (judge_all(of), judged(of)):
        assert rule.of == of
        assert asked_first(rule) == of
        assert rule.decide([certain] * of).label_ids.tolist() == [ABSTAINED] * 2
        assert recorded_rule(rule.described(NAMES[:of]), NAMES[:of]) == rule


def judged(of: int) -> DeferralRule:
    models = dict.fromkeys(NAMES[:of], MADE.models["one"])
    return calibrated_rule(replace(MADE, models=models, rule=Rule("judge", of, of), router=None))


def test_a_calibrations_rule_is_over_its_models_in_their_order() -> None:
    assert calibrated_rule(MADE) == Router(WEIGHTS, 0.25)
    alone = replace(MADE, rule=Rule("chow", 1, 2, alpha=0.5, worker="two"), router=None)
    assert calibrated_rule(alone) == Chow(0.5, 2, 1)
    with pytest.raises(ValueError, match="no rule"):
        calibrated_rule(replace(MADE, router=None))
