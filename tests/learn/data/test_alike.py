"""Two sets of tickets of one kind are told from two of different kinds."""

import math

import numpy as np
import pytest

from streamer.decide.predictions import ABSTAINED, Predictions
from streamer.learn.data.alike import Alike
from tests.learn import planted


def test_tickets_of_one_kind_are_alike_as_often_as_an_interval_of_95_says() -> None:
    rng = np.random.default_rng(1)
    found = [Alike.of(planted.noisy(rng, 300), planted.noisy(rng, 200)) for _ in range(200)]
    assert np.mean([bool(one) for one in found]) == pytest.approx(0.95, abs=0.04)


def test_easier_tickets_are_not_alike_and_that_is_said() -> None:
    rng = np.random.default_rng(2)
    easy, hard = planted.well_behaved(rng, 2000, 3), planted.well_behaved(rng, 2000, 12)
    found = Alike.of(easy, hard)
    assert not found
    assert 0 < found.low < found.one - found.other < found.high
    named = [
        (predictions.label_ids == easy.judge.label_ids).mean()
        for predictions in easy.worker_predictions
    ]
    assert found.one == pytest.approx(np.mean(named))
    assert "not alike" in str(found)
    turned = Alike.of(hard, easy)
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))


def test_what_the_judge_has_not_seen_says_nothing() -> None:
    cases = planted.noisy(np.random.default_rng(3), 100)
    nobody = Predictions(np.full(100, ABSTAINED), None)
    unseen = type(cases)(
        cases.task,
        cases.labels,
        cases.workers,
        cases.worker_predictions,
        nobody,
        cases.gold,
        cases.ids,
    )
    found = Alike.of(cases, unseen)
    assert math.isnan(found.low)
    assert not found
