"""Distance of two distributions, and what is refused as none."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.decide.distributions import checked, checked_pair, greedy, total_variation


def drawn(seed: int, count: int = 2000, labels: int = 5) -> tuple[np.ndarray, np.ndarray]:
    print("seed", seed)
    rng = np.random.default_rng(seed)
    concentration = rng.choice([0.1, 1.0], (2, count, 1))
    weights = rng.gamma(concentration, size=(2, count, labels)) + 1e-12
    q, p = weights / weights.sum(axis=2, keepdims=True)
    return q, p


def test_the_distance_is_half_the_l1_distance_and_symmetric() -> None:
    q, p = drawn(1)
    far = total_variation(p, q)
    assert np.allclose(far, np.abs(p - q).sum(axis=1) / 2, atol=1e-12)
    assert np.allclose(far, total_variation(q, p), atol=1e-12)
    assert ((far > 0) & (far <= 1)).all()
    assert (total_variation(p, p) == 0).all()
    assert total_variation(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])) == [1.0]


def test_what_two_distributions_share_is_one_less_their_distance() -> None:
    q, p = drawn(2)
    # A draft from q is accepted with min(1, p / q).
    accepted = (q * np.minimum(1, p / q)).sum(axis=1)
    assert np.allclose(accepted, 1 - total_variation(p, q), atol=1e-12)


@settings(derandomize=True, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=2, max_size=6).filter(any))
def test_greedy_takes_the_first_of_the_likeliest(weights: list[int]) -> None:
    p = np.array([weights]) / sum(weights)
    (row,) = greedy(p).tolist()
    assert sum(row) == 1
    assert row.index(1) == weights.index(max(weights))


@pytest.mark.parametrize(
    "bad", [[math.nan, 1.0], [-0.1, 1.1], [0.5, 0.2], [math.inf, 0.0], [0.7, 0.5], [0.0, 0.0]]
)
def test_what_is_no_distribution_is_refused(bad: list[float]) -> None:
    with pytest.raises(ValueError, match="probabilities"):
        checked(np.array([[0.5, 0.5], bad]))


def test_float32_rows_of_many_labels_pass_and_none_at_all_do() -> None:
    rows = np.full((3, 77), 1 / 77, np.float32)
    assert checked(rows).dtype == np.float64
    assert checked(np.empty((0, 3))).shape == (0, 3)


def test_distributions_over_other_labels_are_refused() -> None:
    with pytest.raises(ValueError, match="different tickets or labels"):
        checked_pair(np.full((2, 2), 0.5), np.full((2, 4), 0.25))
