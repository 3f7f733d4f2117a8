"""A planted over-confident worker is found out, and nobody is made worse."""

import numpy as np
import pytest

from streamer.decide.predictions import Predictions
from streamer.decide.temperature import tempered
from streamer.learn.calibrate.temperature import Reliability, fit_temperature
from streamer.learn.measures.scores import nll
from tests.learn import planted


def test_the_temperature_undoes_a_planted_over_confidence() -> None:
    cases = planted.over_confident(planted.well_behaved(np.random.default_rng(1), 4000), 0, 3.0)
    fitted = fit_temperature(cases.worker_predictions[0], cases.gold)
    assert fitted.temperature == pytest.approx(3.0, rel=0.1)
    assert fitted.after.nll < fitted.before.nll
    assert fitted.after.brier < fitted.before.brier
    assert fitted.after.ece < fitted.before.ece / 3


def test_unseen_rows_gain_as_well_and_keep_their_votes() -> None:
    rng = np.random.default_rng(2)
    seen = planted.over_confident(planted.well_behaved(rng, 2000), 0, 2.0)
    unseen = planted.over_confident(planted.well_behaved(rng, 4000), 0, 2.0)
    found = fit_temperature(seen.worker_predictions[0], seen.gold).temperature
    raw, better = (
        tempered(unseen.worker_predictions[0], 1.0),
        tempered(unseen.worker_predictions[0], found),
    )
    assert raw.probabilities is not None
    assert better.probabilities is not None
    assert nll(better.probabilities, unseen.gold) < nll(raw.probabilities, unseen.gold)
    assert (raw.label_ids == better.label_ids).mean() > 0.999


def test_a_calibrated_worker_stays_as_it_is() -> None:
    cases = planted.well_behaved(np.random.default_rng(3), 8000)
    assert fit_temperature(cases.worker_predictions[0], cases.gold).temperature == pytest.approx(
        1, abs=0.06
    )


def test_unknown_truth_and_abstentions_do_not_count() -> None:
    cases = planted.over_confident(planted.well_behaved(np.random.default_rng(4), 600), 0, 2.0)
    gold = cases.gold.copy()
    gold[300:] = -1
    half = cases[np.arange(300)]
    some = fit_temperature(cases.worker_predictions[0], gold)
    assert some.temperature == fit_temperature(half.worker_predictions[0], half.gold).temperature
    assert some.after.rows == 300


@pytest.mark.parametrize(
    "predictions", [Predictions(np.zeros(3, np.int64), None), Predictions.none(3)]
)
def test_without_anything_to_learn_from_the_temperature_is_1(predictions: Predictions) -> None:
    assert fit_temperature(predictions, np.zeros(3, np.int64)).temperature == 1.0


def test_reliability_by_hand() -> None:
    probs = np.array([[0.9, 0.1], [0.9, 0.1], [0.2, 0.8], [0.4, 0.6]], np.float32)
    found = Reliability.of(probs, np.array([0, 1, 1, 1]))
    # Bins: two at .9 of which one is right, one at .8 right, one at .6 right.
    assert found.ece == pytest.approx((2 * 0.4 + 0.2 + 0.4) / 4, abs=1e-6)
    assert found.brier == pytest.approx((0.02 + 1.62 + 0.08 + 0.32) / 4, abs=1e-6)
    assert found.nll == pytest.approx(-np.log([0.9, 0.1, 0.8, 0.6]).mean(), abs=1e-6)
