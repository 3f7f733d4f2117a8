"""Chow's rule, alone and as a rule over several workers."""

import itertools
import math

import numpy as np
import pytest

from streamer.decide.chow import Chow
from streamer.decide.predictions import ABSTAINED, Predictions

K = 4


def worker_predictions(seed: int, of: int, count: int = 2000) -> list[Predictions]:
    print("seed", seed)
    rng = np.random.default_rng(seed)
    return [Predictions.of(rng.dirichlet(np.ones(K), count).astype(np.float32)) for _ in range(of)]


def test_accepts_at_its_threshold_and_above() -> None:
    q = np.array([[0.75, 0.25], [0.5, 0.5], [1.0, 0.0]])
    assert Chow(0.25, 1).accepts(q).tolist() == [True, False, True]
    assert Chow(1.0, 1).accepts(q).all()
    assert Chow(0.0, 1).accepts(q).tolist() == [False, False, True]
    assert Chow(0.5, 1).accepts(np.empty((0, 2))).tolist() == []


@pytest.mark.parametrize("bad", [[[math.nan, 1.0]], [[-0.1, 1.1]], [[0.5, 0.2]], [[math.inf, 0.0]]])
def test_what_is_no_distribution_is_refused(bad: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="probabilities"):
        Chow(0.1, 1).accepts(np.array(bad))


@pytest.mark.parametrize("of", [1, 2, 3])
def test_decides_as_a_scalar_reading_of_the_formula(of: int) -> None:
    votes = worker_predictions(1, of)
    decision = Chow(0.45, of).decide(votes)
    for row, code in enumerate(decision.label_ids.tolist()):
        rows = [
            vote.probabilities[row].astype(float)
            for vote in votes
            if vote.probabilities is not None
        ]
        mean = sum(rows) / of
        if max(mean) >= 1 - 0.45:
            assert code == mean.argmax()
            assert decision.confidence[row] == pytest.approx(max(mean), abs=1e-6)
        else:
            assert code == ABSTAINED


@pytest.mark.parametrize("of", [1, 2, 3])
def test_a_larger_alpha_never_asks_the_judge_more(of: int) -> None:
    votes = worker_predictions(2, of)
    asked = [
        (Chow(a, of).decide(votes).label_ids == ABSTAINED).mean() for a in (0, 0.2, 0.4, 0.6, 1)
    ]
    assert asked == sorted(asked, reverse=True)
    assert asked[0] > asked[2] > asked[-1] == 0


def test_the_order_of_workers_changes_nothing() -> None:
    votes = worker_predictions(3, 3)
    expected = Chow(0.4, 3).decide(votes).label_ids
    for order in itertools.permutations(votes):
        assert (Chow(0.4, 3).decide(order).label_ids == expected).all()


def test_a_worker_that_abstains_leaves_the_ticket_to_the_judge() -> None:
    (sure,) = worker_predictions(4, 1, 3)
    spoilt = Predictions.of(np.array([[1, 0, 0, 0], [np.nan] * 4, [1, 0, 0, 0]], np.float32))
    label_ids = Chow(1.0, 2).decide([sure, spoilt]).label_ids
    assert (label_ids == ABSTAINED).tolist() == [False, True, False]
    assert (Chow(1.0, 2).decide([sure, Predictions.none(3)]).label_ids == ABSTAINED).all()
    assert (Chow(1.0, 1).decide([sure.labels_only()]).label_ids == ABSTAINED).all()
