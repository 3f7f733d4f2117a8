import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.decide.candidate import likeliest, workers_candidate
from streamer.decide.decision import Decision
from streamer.decide.predictions import ABSTAINED, Predictions
from streamer.decide.serving_policy import ServingPolicy

vectors = st.lists(
    st.lists(st.floats(0.01, 1), min_size=4, max_size=4).map(lambda row: np.array(row) / sum(row)),
    min_size=3,
    max_size=3,
)


@given(vectors, st.lists(st.booleans(), min_size=3, max_size=3))
def test_it_is_the_likeliest_by_the_mean_of_those_that_answered(
    rows: list[np.ndarray], out: list[bool]
) -> None:
    worker_predictions = [
        Predictions.none(1) if missing else Predictions.of(row[None].astype(np.float32))
        for row, missing in zip(rows, out, strict=True)
    ]
    own = likeliest(worker_predictions)
    there = [row.astype(np.float32) for row, missing in zip(rows, out, strict=True) if not missing]
    if not there:
        assert own.label_ids.tolist() == [ABSTAINED]
        return
    mean = np.mean(np.array(there, np.float64), axis=0)
    assert own.ensemble is not None
    assert np.allclose(own.ensemble[0], mean)
    assert own.label_ids[0] == mean.argmax()
    assert np.isclose(own.confidence[0], mean.max())


def test_an_unusable_row_is_left_out() -> None:
    good, bad = np.array([[0.4, 0.6]], np.float32), np.array([[np.nan, 1.0]], np.float32)
    own = likeliest([Predictions.of(good), Predictions.of(bad)])
    assert own.ensemble is not None
    assert np.allclose(own.ensemble, good)


def test_a_ticket_that_nobody_answered_has_none_beside_one_that_somebody_did() -> None:
    rows = np.array([[np.nan, 1.0], [0.4, 0.6]], np.float32)
    for workers in ([Predictions.of(rows)], [Predictions.of(rows)] * 2):
        own = likeliest(workers)
        assert own.label_ids.tolist() == [ABSTAINED, 1]
        assert np.isnan(own.confidence).tolist() == [True, False]
        assert own.ensemble is not None
        assert own.ensemble[0].tolist() == [0, 0]


def test_workers_with_labels_only_are_counted() -> None:
    votes = [Predictions(np.array([code, ABSTAINED]), None) for code in (2, 1, 2)]
    own = likeliest(votes)
    assert own.label_ids.tolist() == [2, ABSTAINED]
    assert own.ensemble is None


# Three workers on two tickets: most name 1, and by their mean 0 is likelier.
SURE, UNSURE = [0.9, 0.1], [0.45, 0.55]
WORKERS = [Predictions.of(np.array([row, row], np.float32)) for row in (SURE, UNSURE, UNSURE)]
DECISION = Decision(np.array([1, ABSTAINED]), np.array([0.55, np.nan]))
ACCEPTED = Decision(np.array([1, 1]), np.array([0.55, 0.55]))
WAIT, FALLBACK = ServingPolicy(), ServingPolicy(on_outage="fallback")


def test_the_accepted_label_comes_with_the_rules_confidence_and_else_the_likeliest() -> None:
    own = workers_candidate(DECISION, WORKERS, WAIT)
    assert own.label_ids.tolist() == [1, 0]
    assert own.confidence.tolist() == pytest.approx([0.55, 0.6])
    assert own.ensemble is not None
    assert np.allclose(own.ensemble, [[0.6, 0.4]] * 2)


def test_in_an_outage_it_is_what_most_say_if_that_stands_in() -> None:
    undecided = Decision.none(2)
    assert workers_candidate(undecided, WORKERS, FALLBACK).label_ids.tolist() == [0, 0]
    judged = ServingPolicy(on_outage="judge")
    assert workers_candidate(undecided, WORKERS, judged, outage=True).label_ids.tolist() == [0, 0]
    most = workers_candidate(undecided, WORKERS, FALLBACK, outage=True, mean=True)
    assert most.label_ids.tolist() == [1, 1]
    assert most.confidence.tolist() == pytest.approx([0.55, 0.55])
    assert most.ensemble is None


def test_nobody_asked_means_nobody_named() -> None:
    for policy in (WAIT, ServingPolicy("optimistic")):
        own = workers_candidate(Decision.none(2), (), policy, mean=True)
        assert own.label_ids.tolist() == [ABSTAINED] * 2
        assert np.isnan(own.confidence).all()
        assert own.ensemble is None


@pytest.mark.parametrize(
    ("decision", "policy", "mean", "taken"),
    [
        (ACCEPTED, WAIT, False, False),
        (ACCEPTED, WAIT, True, True),
        (ACCEPTED, ServingPolicy("optimistic"), False, True),
        (DECISION, WAIT, False, True),
    ],
)
def test_the_mean_is_taken_where_the_judge_may_be_asked(
    decision: Decision, policy: ServingPolicy, mean: bool, taken: bool
) -> None:
    own = workers_candidate(decision, WORKERS, policy, mean=mean)
    assert (own.ensemble is not None) == taken
    accepted = decision.label_ids != ABSTAINED
    assert (own.label_ids[accepted] == decision.label_ids[accepted]).all()
    assert (own.confidence[accepted] == decision.confidence[accepted]).all()


def test_no_mean_is_taken_of_a_batch_that_nobody_needs_it_of() -> None:
    assert workers_candidate(ACCEPTED, WORKERS, WAIT).ensemble is None
