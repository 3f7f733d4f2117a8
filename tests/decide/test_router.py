"""The router against a scalar reading of its formula, and what every rule must keep."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.decide.predictions import ABSTAINED, Predictions
from streamer.decide.router import Router
from streamer.decide.signals import signals
from streamer.decide.temperature import tempered
from streamer.records.calibration import RouterWeights

K = 4


def worker_predictions(seed: int, of: int, count: int = 300) -> list[Predictions]:
    rng = np.random.default_rng(seed)
    raw = [rng.dirichlet(np.full(K, 0.4), count).astype(np.float32) for _ in range(of)]
    return [tempered(Predictions.of(each), 1.0) for each in raw]


def router(of: int, at_most: float, seed: int = 1) -> Router:
    rng = np.random.default_rng(seed)
    count = 1 + 2 * of + of * (of - 1) // 2
    weights = RouterWeights(
        tuple(rng.uniform(0.2, 1, of)),
        0.3,
        tuple(rng.normal(size=count)),
        tuple(rng.normal(size=K)),
    )
    return Router(weights, at_most)


def clipped_log_odds(p: float) -> float:
    inner = min(max(p, 1e-4), 1 - 1e-4)
    return math.log(inner / (1 - inner))


@pytest.mark.parametrize("of", [1, 2, 3])
def test_decides_as_a_scalar_reading_of_the_formula(of: int) -> None:
    votes, rule = worker_predictions(2, of), router(of, 0.4)
    decision = rule.decide(votes)
    vectors = [vote.probabilities for vote in votes]
    for row, code in enumerate(decision.label_ids.tolist()):
        p = [[float(x) for x in vector[row]] for vector in vectors if vector is not None]
        powers = [
            math.exp(
                sum(
                    a * math.log(max(q[k], 1e-5)) for a, q in zip(rule.weights.pool, p, strict=True)
                )
            )
            for k in range(K)
        ]
        candidate = powers.index(max(powers))
        rest = (sum(powers) - max(powers)) / max(powers)
        found = [
            -math.log(max(rest, 1e-4)),
            *(clipped_log_odds(q[candidate]) for q in p),
            *(float(q.index(max(q)) == candidate) for q in p),
            *(
                sum(abs(a - b) for a, b in zip(*pair, strict=True)) / 2
                for pair in itertools.combinations(p, 2)
            ),
        ]
        logit = rule.weights.intercept + rule.weights.labels[candidate]
        logit += sum(
            weight * value for weight, value in zip(rule.weights.signals, found, strict=True)
        )
        differs = 1 / (1 + math.exp(-logit))
        if abs(differs - 0.4) > 1e-4:
            assert code == (candidate if differs <= 0.4 else ABSTAINED)
        if code != ABSTAINED:
            assert decision.confidence[row] == pytest.approx(1 - differs, abs=1e-4)


@given(st.integers(0, 10_000), st.sampled_from([1, 2, 3]))
def test_a_larger_threshold_never_asks_the_judge_more(seed: int, of: int) -> None:
    votes = worker_predictions(seed, of, 40)
    decided = [router(of, at).decide(votes).label_ids for at in (-1, 0.1, 0.4, 0.8, 1)]
    for tight, loose in itertools.pairwise(decided):
        assert ((tight == ABSTAINED) | (tight == loose)).all()
    assert (decided[0] == ABSTAINED).all()
    assert (decided[-1] != ABSTAINED).all()


def test_a_worker_that_abstains_leaves_the_ticket_to_the_judge() -> None:
    votes, rule = worker_predictions(3, 2, 4), router(2, 1.0)
    whole = rule.decide(votes)
    label_ids = votes[1].label_ids.copy()
    label_ids[1] = ABSTAINED
    found = rule.decide([votes[0], Predictions(label_ids, votes[1].probabilities)])
    assert found.label_ids.tolist() == [
        c if row != 1 else ABSTAINED for row, c in enumerate(whole.label_ids)
    ]
    assert np.isnan(found.confidence[1])
    assert (rule.decide([votes[0], Predictions.none(4)]).label_ids == ABSTAINED).all()
    assert (rule.decide([votes[0], votes[1].labels_only()]).label_ids == ABSTAINED).all()
    assert not rule.decidable([True, False])


def test_a_ticket_is_decided_alike_alone_and_in_a_batch() -> None:
    votes, rule = worker_predictions(4, 3, 100), router(3, 0.5)
    whole = rule.decide(votes)
    for row in range(100):
        alone = rule.decide([vote[np.array([row])] for vote in votes])
        assert alone.label_ids[0] == whole.label_ids[row]
        assert alone.confidence[0] == whole.confidence[row] or np.isnan(whole.confidence[row])


def test_no_tickets_need_no_judge() -> None:
    assert len(router(3, 0.5).decide(worker_predictions(5, 3, 0)).label_ids) == 0


def test_labels_only_have_no_signals() -> None:
    with pytest.raises(ValueError, match="without probabilities"):
        signals([worker_predictions(1, 1)[0].labels_only()], (1.0,))


def test_a_pool_of_another_number_of_workers_is_refused() -> None:
    with pytest.raises(ValueError, match="argument"):
        signals(worker_predictions(1, 2), (1.0,) * 3)


def test_certainty_itself_is_a_finite_signal() -> None:
    certain = Predictions.of(np.array([[1, 0, 0, 0], [0, 0, 0, 1]], np.float32))
    candidate, found = signals([certain, certain], (1.0, 1.0))
    odds = -math.log(1e-4), clipped_log_odds(1.0), clipped_log_odds(1.0)
    assert candidate.tolist() == [0, 3]
    assert found == pytest.approx(np.array([[*odds, 1, 1, 0]] * 2), abs=1e-2)
