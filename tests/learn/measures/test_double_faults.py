import numpy as np
import pytest

from streamer.learn.measures.double_faults import pair_errors

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
