"""Who votes at all, and for what."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.decide.predictions import ABSTAINED, Predictions


def label_ids(*rows: tuple[float, ...]) -> list[int]:
    found: list[int] = Predictions.of(np.array(rows, np.float32)).label_ids.tolist()
    return found


@pytest.mark.parametrize(
    "row",
    [
        (-0.25, 0.75, 0.5),
        (1.5, -0.5, 0.0),
        (1.0, -1e-6, 0.0),
        (np.nan, 0.5, 0.5),
        (np.inf, 0.0, 0.0),
        (np.inf, -np.inf, 1.0),
        (0.0, 0.0, 0.0),
        (0.5, 0.3, 0.1),
        (0.5, 0.4, 0.2),
        (1.02, 0.0, 0.0),
    ],
    ids=str,
)
def test_a_row_that_is_no_distribution_abstains_and_its_neighbours_vote(
    row: tuple[float, ...],
) -> None:
    good = (0.2, 0.7, 0.1)
    assert label_ids(good, row, good) == [1, ABSTAINED, 1]
    assert label_ids(row) == [ABSTAINED]


@given(st.integers(0, 2**32 - 1), st.integers(2, 150))
def test_a_negative_entry_abstains_whatever_the_row_sums_to(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    raw = rng.dirichlet(np.ones(size), 20)
    one, other = (rng.integers(size, size=20) for _ in range(2))
    rows = np.arange(20)
    taken = raw[rows, one] + rng.choice([1e-3, 0.5], 20)
    raw[rows, one] -= taken
    raw[rows, other] += taken
    moved = one != other
    assert np.abs(raw.sum(axis=1) - 1).max() < 1e-6
    found = Predictions.of(raw.astype(np.float32)).label_ids
    assert (found[moved] == ABSTAINED).all()


@pytest.mark.parametrize("total", [0.991, 1.0, 1.009])
def test_a_hundredth_is_forgiven(total: float) -> None:
    assert label_ids((0.0, total, 0.0)) == [1]


def test_of_equals_the_first_label_is_voted_for() -> None:
    assert label_ids((0.4, 0.4, 0.2), (0.2, 0.4, 0.4)) == [0, 1]


def test_probabilities_are_of_ones_own_label_or_of_a_given_one() -> None:
    said = Predictions.of(np.array([[0.25, 0.75], [np.nan, 1.0], [0.5, 0.5]], np.float32))
    assert np.array_equal(said.confidence, [0.75, np.nan, 0.5], equal_nan=True)
    given_labels = said.of_label(np.array([0, 1, ABSTAINED]))
    assert np.array_equal(given_labels, [0.25, np.nan, np.nan], equal_nan=True)
    assert np.isnan(said.labels_only().confidence).all()
    assert np.isnan(said.labels_only().of_label(np.array([0, 0, 0]))).all()
    assert said.labels_only().label_ids.tolist() == said.label_ids.tolist() == [1, ABSTAINED, 0]


def test_some_tickets_of_an_opinion_are_an_opinion() -> None:
    said = Predictions.of(np.array([[0.25, 0.75], [0.9, 0.1], [0.5, 0.5]], np.float32))
    some = said[np.array([2, 0])]
    assert some.label_ids.tolist() == [0, 1]
    assert some.probabilities is not None
    assert some.probabilities.tolist() == [[0.5, 0.5], [0.25, 0.75]]
    bare = said.labels_only()[np.array([1])]
    assert (bare.label_ids.tolist(), bare.probabilities) == ([0], None)


def test_who_is_out_says_nothing() -> None:
    nothing = Predictions.none(3)
    assert (nothing.label_ids.tolist(), nothing.probabilities) == ([-1] * 3, None)
