"""What is said of a trial, on logs of planted workers."""

from dataclasses import replace

import numpy as np
import pytest

from streamer.decide.arbitration_rule import arbitration_rule
from streamer.decide.predictions import Predictions
from streamer.decide.votes import VoteRule
from streamer.learn.data.dataset import Dataset
from streamer.learn.data.decisions import LoggedDecision, logged_decisions
from streamer.learn.data.log_table import LogTable
from streamer.learn.replay.what_if import Published, what_if
from streamer.learn.rollout.judgement import ALPHA, Judgement, compared
from streamer.learn.rollout.page import page
from streamer.learn.rollout.paired import Verdict
from streamer.learn.rollout.promoted import PairedDecisions, first_of_each
from streamer.learn.rollout.vote import VoteComparison
from streamer.records.labelset import LabelSet
from tests.learn import planted
from tests.learn.rollout.tried import LATER, tried

COUNT = 1500
RULE, AFTER = VoteRule("majority", 3), arbitration_rule("v3", 0.0)


def cases(seed: int = 1) -> tuple[np.random.Generator, Dataset]:
    print(f"seed {seed}")
    rng = np.random.default_rng(seed)
    return rng, planted.well_behaved(rng, COUNT)


def published(decisions: list[LoggedDecision], like: Dataset) -> Published:
    table = LogTable.of(decisions, like.task, LabelSet(like.labels), like.workers)
    return Published.of(table.dataset, RULE, AFTER, "sequential")


def judgement(like: Dataset, trials: dict[str, Predictions]) -> Judgement:
    decisions = logged_decisions(tried(like, trials))
    versions = dict.fromkeys(trials, ("1", "2"))
    both = PairedDecisions.of(decisions, like.task, versions)
    vote = VoteComparison.of(published([*both.served], like), published([*both.promoted], like))
    found = compared(decisions, like.task, LabelSet(like.labels), versions)
    return Judgement(like.task, LATER, tuple(found), vote)


@pytest.mark.parametrize(
    ("strength", "verdict"), [(3.0, "better"), (0.4, "worse"), (1.6, "not yet known")]
)
def test_a_planted_version_is_judged_by_its_strength(strength: float, verdict: Verdict) -> None:
    rng, like = cases()
    found = judgement(like, {"one": planted.seen_again(rng, like, strength)})
    assert found.verdict == verdict
    assert (found.reasons == []) == (verdict == "better")
    assert f"planted: {verdict}" in page([found])


def test_the_same_version_tells_nothing_apart() -> None:
    _, like = cases()
    found = judgement(like, {"one": like.worker_predictions[0]})
    assert found.verdict == "not yet known"
    assert (found.workers[0].test.gained, found.workers[0].test.lost) == (0, 0)
    assert found.more is None
    assert found.vote is not None
    assert found.vote.agreement[0] == found.vote.agreement[1]


def test_one_worse_version_spoils_the_others() -> None:
    rng, like = cases()
    trials = {name: planted.seen_again(rng, like, s) for name, s in (("one", 3.0), ("two", 0.4))}
    found = judgement(like, trials)
    assert [one.test.verdict for one in found.workers] == ["better", "worse"]
    assert found.verdict == "worse"
    assert found.workers[0].test.alpha == ALPHA / 2


def test_without_the_vote_nothing_is_better() -> None:
    rng, like = cases()
    found = judgement(like, {"one": planted.seen_again(rng, like, 3.0)})
    assert replace(found, vote=None, lacking="no calibration").reasons == ["no calibration"]
    assert replace(found, vote=None).verdict == "not yet known"


def test_a_better_worker_that_spoils_the_vote_is_not_proposed() -> None:
    """The third worker errs as the first does: they agree, and nobody asks the judge."""
    rng, like = cases()
    strong = planted.seen_again(rng, like, 2.2)
    wrong = like.worker_predictions[1]
    like = replace(
        like,
        worker_predictions=(planted.seen_again(rng, like, 0.2), wrong, like.worker_predictions[2]),
    )
    # Better than the first of before, but a copy of the second wherever it is wrong.
    judge = like.judge.label_ids
    label_ids = np.where(wrong.label_ids != judge, wrong.label_ids, strong.label_ids)
    copied = Predictions.of(np.eye(len(like.labels), dtype=np.float32)[label_ids])
    found = judgement(like, {"one": copied})
    assert found.workers[0].test.verdict == "better"
    assert found.vote is not None
    assert found.vote.harmful
    assert found.verdict == "worse"


def test_the_vote_with_the_trial_is_that_of_the_same_workers_alone() -> None:
    rng, like = cases()
    new = planted.seen_again(rng, like, 3.0)
    found = judgement(like, {"one": new})
    alone = replace(like, worker_predictions=(new, *like.worker_predictions[1:]))
    expected = what_if(alone, RULE, AFTER, "sequential")
    assert found.vote is not None
    assert found.vote.judge_rate[1] == expected.judge_rate
    agree = expected.fidelity.hits + expected.judge_rate.hits
    assert found.vote.agreement[1].hits == agree


def test_only_tickets_of_the_pair_count_and_each_once() -> None:
    rng, like = cases()
    logs = tried(like, {"one": planted.seen_again(rng, like, 3.0)})
    decisions = logged_decisions(logs)
    assert len(list(first_of_each([*decisions, *decisions], LATER))) == COUNT
    assert not list(first_of_each(decisions, "2100"))
    assert not PairedDecisions.of(decisions, like.task, {"one": ("1", "3")}).served
    assert not PairedDecisions.of(decisions, like.task, {"one": ("2", "2")}).served
    assert not PairedDecisions.of(
        decisions, like.task, {"one": ("1", "2"), "two": ("1", "2")}
    ).served
    assert len(PairedDecisions.of(decisions, like.task, {"one": ("1", "2")}).promoted) == COUNT
