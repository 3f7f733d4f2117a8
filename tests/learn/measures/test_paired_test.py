"""Two on the same tickets."""

import numpy as np
import pytest

from streamer.learn.measures.paired_test import PairedTest


def test_only_tickets_on_which_they_differ_count() -> None:
    one = np.array([True] * 90 + [True] * 8 + [False] * 1 + [False] * 1)
    other = np.array([True] * 90 + [False] * 8 + [True] * 1 + [False] * 1)
    test = PairedTest.test(one, other)
    assert (test.of, test.gained, test.lost) == (100, 8, 1)
    assert test.lead == pytest.approx(0.07)
    # Of nine tickets eight or more, or one or fewer: 2 (1 + 9) / 512.
    assert test.chance == pytest.approx(20 / 512)
    assert test.error == pytest.approx(np.std(one.astype(float) - other) / 10)


def test_two_that_never_differ_are_alike() -> None:
    same = np.array([True, False, True])
    test = PairedTest.test(same, same)
    assert (test.lead, test.chance, test.error) == (0, 1, 0)
