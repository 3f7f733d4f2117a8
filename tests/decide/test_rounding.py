"""A threshold means what it says to the last decimal."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.decide.rounding import at_least, rounded

fifths = st.integers(1, 100_000)


@given(fifths)
def test_what_reads_the_same_is_at_least_as_much(number: int) -> None:
    threshold = number / 100_000
    values = [threshold, np.float32(threshold), 1 - (1 - threshold), np.nextafter(threshold, 0)]
    assert at_least(np.array(values, np.float64), threshold).all()
    assert at_least(np.array(values, np.float32), threshold).all()
    assert at_least(np.array(values), 1 - (1 - threshold)).all()


@given(fifths)
def test_the_value_below_is_less(number: int) -> None:
    threshold = number / 100_000
    below = np.array([(number - 1) / 100_000])
    assert not at_least(below, threshold).any()
    assert not at_least(below.astype(np.float32), np.array([threshold])).any()


@given(fifths)
def test_half_way_between_two_values_parts_them(number: int) -> None:
    pair = np.array([number - 1, number]) / 100_000
    assert at_least(pair, round(float(pair.mean()), 7)).tolist() == [False, True]


def test_a_threshold_is_read_with_six_decimals() -> None:
    for threshold, met in ((0.1234604, True), (0.1234606, False)):
        assert at_least(np.array([0.12346]), threshold).tolist() == [met]


@pytest.mark.parametrize("threshold", [-np.inf, 0.0, 0.5])
def test_what_is_no_number_is_at_least_nothing(threshold: float) -> None:
    assert at_least(np.array([np.nan, 0.7]), threshold).tolist() == [False, True]


def test_values_are_published_with_five_decimals() -> None:
    assert rounded(np.array([0.123456, 0.9], np.float32)).tolist() == [0.12346, 0.9]
