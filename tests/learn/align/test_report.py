"""Before and after, by hand and on planted workers."""

from dataclasses import replace

import numpy as np
import pytest

from streamer.decide.predictions import Predictions
from streamer.decide.votes import VoteRule
from streamer.learn.align.change import change, mean_change
from streamer.learn.align.report import pair_changes, verdict, vote_change, worker_changes
from streamer.learn.data.dataset import Dataset

COUNT, SIZE = 3000, 4


def said(label_ids: np.ndarray, sure: float = 0.85) -> Predictions:
    rows = np.full((len(label_ids), SIZE), (1 - sure) / (SIZE - 1), np.float32)
    rows[np.arange(len(label_ids)), label_ids] = sure
    return Predictions(label_ids, rows)


def cases(judge: np.ndarray, workers: list[np.ndarray]) -> Dataset:
    names = ("one", "two", "three")[: len(workers)]
    labels = tuple("abcd")
    worker_predictions = tuple(said(label_ids) for label_ids in workers)
    ids = tuple(map(str, range(len(judge))))
    return Dataset("t", labels, names, worker_predictions, said(judge), judge, ids)


def erring(rng: np.random.Generator, judge: np.ndarray, rate: float) -> np.ndarray:
    wrong = rng.random(len(judge)) < rate
    return np.where(wrong, (judge + rng.integers(1, SIZE, len(judge))) % SIZE, judge)


def test_a_change_has_the_interval_of_the_paired_difference() -> None:
    """Two shares that move together differ far more surely than each is known."""
    rng = np.random.default_rng(1)
    before = rng.random(COUNT) < 0.5
    found = mean_change(before, before | (rng.random(COUNT) < 0.02))
    assert found.before.value == before.mean()
    assert found.difference.value == pytest.approx(found.after.value - found.before.value)
    assert found.before.high - found.before.low > 0.03
    assert found.difference.high - found.difference.low < 0.015
    assert found.sign == 1
    assert mean_change(before, before).sign == 0
    assert mean_change(before | True, before).sign == -1


def test_a_ratio_of_nothing_is_no_number() -> None:
    nothing = np.zeros(9, np.bool_)
    found = change((nothing, nothing), (~nothing, ~nothing))
    assert np.isnan(found.before.value)
    assert found.after.value == 1
    assert found.sign == 0
    empty = np.zeros(0, np.bool_)
    assert np.isnan(mean_change(empty, empty).difference.value)


def test_workers_are_compared_on_all_tickets_and_on_each_segment() -> None:
    rng = np.random.default_rng(2)
    judge = rng.integers(SIZE, size=COUNT)
    mine = np.arange(COUNT) < 600
    old = erring(rng, judge, 0.3)
    new = np.where(mine, judge, old)
    found = worker_changes(cases(judge, [old]), [said(new)], {"boards": mine})
    by_segment = {one.segment: one for one in found}
    assert by_segment["boards"].tickets == 600
    assert by_segment["boards"].agreement.after.value == 1
    assert by_segment["boards"].agreement.difference.low > 0.2
    assert by_segment[None].agreement.after.value == (new == judge).mean()
    assert by_segment[None].distance.difference.high < 0
    labels_only = [Predictions(new, None)]
    assert worker_changes(cases(judge, [old]), labels_only, {})[0].distance is None


def test_workers_that_learn_the_same_errors_are_seen_to_and_no_gain_is_claimed() -> None:
    """Each worker gets better, and all make the same errors: the vote gets worse."""
    rng = np.random.default_rng(3)
    judge = rng.integers(SIZE, size=COUNT)
    before = cases(judge, [erring(rng, judge, 0.2) for _ in range(3)])
    shared = erring(rng, judge, 0.15)
    after = [said(shared) for _ in range(3)]
    rule = VoteRule("majority", 3)
    for one in worker_changes(before, after, {}):
        assert one.agreement.difference.low > 0
    for pair in pair_changes(before, after):
        assert pair.agreement.after.value == pair.wrong_alike.after.value == 1
        assert pair.wrong_alike.before.value < 0.2
    vote = vote_change(before, after, rule)
    assert vote.fidelity.difference.high < 0
    assert vote.differing.difference.low > 0
    assert vote.judge_rate.difference.high < 0
    assert vote.verdict.startswith("a trade, no gain")


def test_better_workers_that_err_apart_make_a_better_vote() -> None:
    rng = np.random.default_rng(4)
    judge = rng.integers(SIZE, size=COUNT)
    before = cases(judge, [erring(rng, judge, 0.3) for _ in range(3)])
    after = [said(erring(rng, judge, 0.1)) for _ in range(3)]
    vote = vote_change(before, after, VoteRule("majority", 3))
    assert vote.verdict.startswith("the vote got better")
    assert vote.coverage.after.value + vote.judge_rate.after.value == pytest.approx(1)
    accepted_right = vote.coverage.after.value * vote.fidelity.after.value
    assert vote.agreement.after.value == pytest.approx(accepted_right)
    same = vote_change(before, before.worker_predictions, VoteRule("majority", 3))
    assert same.verdict.startswith("no difference")
    worse = replace(before, worker_predictions=tuple(after))
    assert vote_change(
        worse, before.worker_predictions, VoteRule("majority", 3)
    ).verdict.startswith("the vote got worse")


@pytest.mark.parametrize("cost", [-1, 0, 1])
@pytest.mark.parametrize("harm", [-1, 0, 1])
def test_better_means_that_neither_got_worse(cost: int, harm: int) -> None:
    better = verdict(cost, harm).startswith("the vote got better")
    assert better == (max(cost, harm) <= 0 and min(cost, harm) < 0)
    worse = verdict(cost, harm).startswith("the vote got worse")
    assert worse == (max(cost, harm) > 0 and min(cost, harm) >= 0)
