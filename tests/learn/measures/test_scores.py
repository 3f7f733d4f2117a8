import numpy as np
import pytest

from streamer.learn.measures.scores import Scores


def test_scores_by_hand() -> None:
    probs = np.array([[0.7, 0.3, 0], [0.4, 0.6, 0], [0.9, 0.1, 0], [0.2, 0.8, 0]], dtype=np.float32)
    scores = Scores.of(probs, np.array([0, 0, 0, 1]))
    assert scores.accuracy == 0.75
    # Label 0: precision 1, recall 2/3; label 1: precision 1/2, recall 1; label 2 isn't there.
    assert scores.macro_f1 == pytest.approx((0.8 + 2 / 3) / 2)
    assert scores.nll == pytest.approx(-np.log([0.7, 0.4, 0.9, 0.8]).mean())
    assert scores.rows == 4


def test_a_probability_of_zero_for_the_gold_label_stays_finite() -> None:
    assert np.isfinite(Scores.of(np.array([[1, 0]], dtype=np.float32), np.array([1])).nll)
