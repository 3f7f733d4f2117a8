import numpy as np
import pytest

from streamer.learn.measures.double_faults import pair_errors, rank_committees

GOLD = np.array([0, 0, 0, 0, 1, 1, 1, 1, 2, 2])
ANSWERS = {
    "a": np.array([0, 0, 0, 1, 1, 1, 1, 0, 2, 0]),
    "b": np.array([0, 0, 0, 1, 1, 1, 1, 2, 2, 2]),
    "c": np.array([0, 0, 1, 0, 1, 1, 0, 1, 2, 0]),
}


def test_pairs_by_hand() -> None:
    pairs = {pair.workers: pair for pair in pair_errors(ANSWERS, GOLD)}
    ab = pairs["a", "b"]
    assert (ab.double_fault, ab.same_fault, ab.agreement) == (0.2, 0.1, 0.8)
    # a names the labels 5, 4, 1 times and b 3, 4, 3 times of 10.
    chance = 0.5 * 0.3 + 0.4 * 0.4 + 0.1 * 0.3
    assert ab.kappa == pytest.approx((0.8 - chance) / (1 - chance))
    assert next(iter(pairs)) == ("b", "c")


def test_workers_that_always_name_one_label_agree_fully() -> None:
    same = np.zeros(4, dtype=np.int64)
    (pair,) = pair_errors({"a": same, "b": same}, same)
    assert pair.kappa == 1


def test_committees_by_hand() -> None:
    ranked = rank_committees(ANSWERS, GOLD, judge_accuracy=0.5)
    found = {(c.workers, c.quorum): c for c in ranked}
    assert len(found) == 3 + 2
    three = found[("a", "b", "c"), 2]
    assert (three.coverage, three.accuracy) == pytest.approx((0.9, 7 / 9))
    assert three.expected == pytest.approx(0.7 + 0.1 * 0.5)
    unanimous = found[("a", "b", "c"), 3]
    assert (unanimous.coverage, unanimous.accuracy) == pytest.approx((0.5, 1))
    assert [c.expected for c in ranked] == sorted((c.expected for c in ranked), reverse=True)


def test_a_committee_that_never_agrees_leaves_all_to_the_judge() -> None:
    answers = {"a": np.array([0, 1]), "b": np.array([1, 0])}
    (pair,) = rank_committees(answers, np.array([0, 0]), judge_accuracy=0.9)
    assert pair.coverage == 0
    assert np.isnan(pair.accuracy)
    assert pair.expected == 0.9
