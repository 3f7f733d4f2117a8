"""The budget of a task, between the vote and what becomes of it."""

import numpy as np

from streamer.decide.budget import JudgeBudget, ShareCap
from streamer.decide.decision import Decision
from streamer.decide.predictions import ABSTAINED, Predictions
from streamer.decide.sampling import Sample
from streamer.decide.serving_policy import ServingPolicy
from streamer.decide.vote_result import OutagePolicy, Provenance, VoteResult, WorkerVotes
from streamer.decide.votes import VoteRule
from streamer.records.labelset import LabelSet
from streamer.services.classify.disposed import Disposed
from streamer.services.classify.task import ClassifyTask
from streamer.services.classify.vote.calibrated_rule import CalibratedRule
from streamer.services.classify.vote.voting import Voting

COUNT = 10
MAJORITY = VoteRule("majority", 2)
RULE = CalibratedRule(MAJORITY, Provenance(MAJORITY.described(("one", "two"))))
SAID = Predictions(np.ones(COUNT, np.int64), None)


def result(outage: bool = False, stale: bool = False, votes: int = 2) -> VoteResult:
    """Ten tickets of which the rule accepted the first two, or none in an outage."""
    worker_votes = tuple(WorkerVotes(f"w{number}", "1", SAID, SAID) for number in range(votes))
    decides = votes > 0 and not outage
    accepted = np.where((np.arange(COUNT) < 2) & decides, 1, ABSTAINED)
    decision = Decision(accepted, np.full(COUNT, np.nan))
    rule_index = np.zeros(COUNT, np.int64)
    return VoteResult(np.arange(COUNT), worker_votes, decision, outage, (), rule_index, stale=stale)


def disposed(
    found: VoteResult, on_outage: OutagePolicy = "wait", budget: JudgeBudget | None = None
) -> Disposed:
    voting = Voting((), [RULE], on_outage)
    policy = ServingPolicy(on_outage=on_outage)
    task = ClassifyTask("intent", LabelSet(("a", "b")), voting, policy=policy, budget=budget)
    return Disposed.of(task, found, Sample.none(COUNT), 0.0, 1.0)


def half() -> JudgeBudget:
    return JudgeBudget(ShareCap(0.5, burst=10), now=0)


def test_the_calls_that_a_budget_refuses_get_the_workers_label() -> None:
    budget = half()
    made = disposed(result(), budget=budget)
    assert made.disposition.decide.tolist() == [False] * 2 + [True] * 5 + [False] * 3
    assert made.disposition.fallback.tolist() == [False] * 7 + [True] * 3
    assert made.disposition.why(9) == "budget"
    assert made.suspended
    assert budget.left == 0


def test_a_budget_is_not_asked_where_an_outage_is_fallen_back_from() -> None:
    budget = half()
    fallen = disposed(result(outage=True), "fallback", budget=budget)
    assert fallen.disposition.fallback.all()
    assert fallen.disposition.why(0) == "outage"
    assert budget.left == float("inf")
    judged = disposed(result(outage=True), "judge", budget=budget)
    assert judged.disposition.decide.sum() == 5
    assert {judged.disposition.why(row) for row in range(COUNT)} == {"outage", "budget"}


def test_without_a_budget_or_with_enough_of_it_nothing_is_suspended_but_by_staleness() -> None:
    assert not disposed(result()).suspended
    assert not disposed(result(), budget=JudgeBudget(ShareCap(1.0, 100), now=0)).suspended
    assert disposed(result(stale=True)).suspended
    assert disposed(result()).disposition.decide.sum() == 8


def test_tickets_that_no_worker_was_asked_about_go_to_the_judge_whatever_the_budget() -> None:
    made = disposed(result(votes=0), budget=half())
    assert made.disposition.decide.all()
    assert made.disposition.why(0) == "judge_first"
