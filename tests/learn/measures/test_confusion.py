"""Which labels are taken for which."""

import numpy as np
import pytest

from streamer.learn.measures.confusion import Confusion


def test_counts_are_by_true_label_and_then_by_the_one_given() -> None:
    gold, named = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 1, 1])
    found = Confusion.of(named, gold, ("a", "b", "c"))
    assert found.counts == ((2, 1, 0), (0, 2, 0), (0, 1, 0))
    first, second, third = found.by_label
    assert (first.recall.value, first.precision.value) == (pytest.approx(2 / 3), 1)
    assert (second.recall.value, second.precision.value) == (1, 0.5)
    assert third.recall.value == 0
    # Nobody got it: nothing is known of how often that would be right.
    assert np.isnan(third.precision.value)
    assert (third.precision.low, third.precision.high) == (0, 1)
