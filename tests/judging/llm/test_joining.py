"""Answers in several orders of the labels, joined."""

import numpy as np
import pytest

from streamer.judging.engine.softmax import softmax
from streamer.judging.llm.joining import covered, joined, shifts


def test_shifts_are_as_far_apart_as_can_be_and_begin_with_the_order_as_written() -> None:
    assert shifts(3, 1) == (0,)
    assert shifts(3, 3) == (0, 1, 2)
    assert shifts(9, 3) == (0, 3, 6)
    assert shifts(2, 16) == (0, 1)


def test_what_a_place_adds_to_the_score_of_any_label_cancels_out_over_all_shifts() -> None:
    draw = np.random.default_rng(3)
    own, by_place = draw.normal(size=(20, 5)), draw.normal(size=5) * 3
    # With the labels turned by s, label i stands at place i - s.
    answers = np.stack([own + np.roll(by_place, shift) for shift in range(5)])
    assert softmax(joined(answers)) == pytest.approx(softmax(own), abs=1e-6)
    assert np.abs(softmax(answers[0]) - softmax(own)).max() > 0.1


def test_an_empty_ticket_is_divided_out_of_each_way_by_its_own() -> None:
    draw = np.random.default_rng(4)
    own, empty = draw.normal(size=(7, 3)), draw.normal(size=(2, 3))
    answers = own + empty[:, None]
    assert softmax(joined(answers, empty)) == pytest.approx(softmax(own), abs=1e-6)


def test_coverage_is_the_mean_of_all_ways_and_no_more_than_one() -> None:
    answers = np.log([[[0.25, 0.25]], [[0.6, 0.4 + 1e-9]]])
    assert covered(answers) == pytest.approx([0.75])
    assert covered(np.log([[[0.8, 0.3]]])).tolist() == [1.0]
