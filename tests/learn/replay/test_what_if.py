"""What another rule would have done is counted by hand here."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from streamer.decide.arbitration_rule import arbitration_rule
from streamer.decide.chow import Chow
from streamer.decide.deferral_rule import DeferralRule
from streamer.decide.predictions import Predictions
from streamer.decide.serving_policy import ServingPolicy
from streamer.decide.temperature import tempered
from streamer.decide.votes import VoteRule
from streamer.errors import ConfigError
from streamer.learn.evaluation.options import Prices
from streamer.learn.replay.what_if import Published, what_if
from streamer.records.label import After
from streamer.records.log import BallotLog, Mode, VerdictLog
from tests.learn import planted
from tests.learn.served import Serving

CASES = planted.well_behaved(np.random.default_rng(1), 2000)
JUDGE = arbitration_rule("v3", 0.0)
TIMES = Prices(dict.fromkeys(CASES.workers, 0.01), 1.0)


def test_sequential_is_the_rule_and_the_judge() -> None:
    rule = VoteRule("unanimity", 3)
    found = what_if(CASES, rule, JUDGE, "sequential")
    label_ids = rule.decide(CASES.worker_predictions).label_ids
    accepted = label_ids >= 0
    assert found.coverage.hits == accepted.sum()
    assert found.judge_rate.hits == (~accepted).sum()
    assert found.fidelity.hits == (label_ids == CASES.judge.label_ids)[accepted].sum()
    assert found.corrections.hits == 0


def test_optimistic_publishes_all_and_corrects_where_the_judge_differs() -> None:
    found = what_if(CASES, VoteRule("unanimity", 3), JUDGE, "optimistic")
    assert found.coverage.value == found.judge_rate.value == 1.0
    assert found.corrections.hits == len(CASES) - found.fidelity.hits
    lenient = what_if(CASES, VoteRule("unanimity", 3), arbitration_rule("v3", 1.0), "optimistic")
    assert lenient.corrections.hits == 0


@pytest.mark.parametrize(
    "after", [After("v3", 0.4), After("diff", 0.1), After("pool", 0.5)], ids=str
)
async def test_corrections_are_those_that_the_services_make(after: After) -> None:
    cases = replace(CASES, judge=tempered(CASES.judge, 1.0))
    policy = ServingPolicy("optimistic")
    logs = await Serving(after=after, policy=policy, verify=1.0, audit=0.0).log(cases)
    verdicts = [log for log in logs if isinstance(log, VerdictLog)]
    rule = arbitration_rule(after.kind, after.alpha)
    found = what_if(cases, VoteRule("majority", 3), rule, "optimistic")
    assert found.corrections.hits == sum(log.published != log.candidate for log in verdicts) > 0


def test_where_no_worker_answers_the_judge_decides_in_every_mode() -> None:
    silent = replace(CASES, worker_predictions=(Predictions.none(len(CASES)),) * 3)
    for mode in get_args(Mode):
        found = what_if(silent, VoteRule("majority", 3), JUDGE, mode)
        assert (found.coverage.hits, found.judge_rate.hits) == (0, len(CASES))
        assert found.corrections.hits == 0
        told = Published.of(silent, VoteRule("majority", 3), JUDGE, mode)
        assert told.asked.all()
        assert told.agrees.all()


def test_hedging_waits_for_the_slower_and_not_for_both_and_wastes_what_was_withdrawn() -> None:
    slow = Prices(dict.fromkeys(CASES.workers, 1.0), 1.0)
    found = what_if(CASES, VoteRule("unanimity", 3), JUDGE, "hedged", slow)
    assert found.hedge is not None
    assert found.hedge.p99 < found.hedge.p99_sequential
    assert 0 < found.hedge.waste < found.coverage.value
    quick = what_if(CASES, VoteRule("unanimity", 3), JUDGE, "hedged", TIMES).hedge
    assert quick is not None
    assert quick.waste < found.hedge.waste


def test_nothing_is_wasted_where_the_judge_decides_all() -> None:
    hedge = what_if(CASES, Chow(0.0, 3), JUDGE, "hedged", TIMES).hedge
    assert hedge is not None
    assert hedge.waste == 0.0


def test_hedging_without_latencies_is_refused() -> None:
    with pytest.raises(ConfigError, match="--latency"):
        what_if(CASES, VoteRule("majority", 3), JUDGE, "hedged")


@pytest.mark.parametrize(
    "rule",
    [
        VoteRule("majority", 3),
        VoteRule("unanimity", 3),
        VoteRule("unanimity", 3, "min", 0.6),
        Chow(0.2, 3),
    ],
    ids=str,
)
async def test_it_is_what_the_services_do_with_the_same_tickets(rule: DeferralRule) -> None:
    """A third worker has a say only where it would be asked: else other labels are published."""
    optimistic = Serving(rule, After("diff", -0.1), ServingPolicy("optimistic"), audit=0, verify=1)
    logs = await optimistic.log(CASES)
    said = dict(zip(CASES.ids, CASES.judge.label_ids, strict=True))
    right = [
        log.label == CASES.labels[said[log.ticket_id]] for log in logs if isinstance(log, BallotLog)
    ]
    verdicts = [log for log in logs if isinstance(log, VerdictLog)]
    found = what_if(CASES, rule, arbitration_rule("diff", -0.1), "optimistic")
    assert found.fidelity.hits == sum(right)
    assert found.corrections.hits == sum(log.published != log.candidate for log in verdicts) > 0
