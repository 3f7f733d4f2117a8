"""Why only the uniform stratum counts: the judge otherwise sees what workers disagree on."""

import numpy as np
import pytest

from streamer.learn.data.dataset import Dataset
from streamer.learn.segments.report import served
from tests.learn.segments.test_assigning import planted

AUDITED = 0.1
SEEDS = range(6)


def selected(cases: Dataset, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Who is of the uniform stratum, and who was judged: that and all that workers differ on."""
    uniform = rng.random(len(cases)) < AUDITED
    one, two, three = (predictions.label_ids for predictions in cases.worker_predictions)
    return uniform, uniform | (one != two) | (two != three)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_stratum_is_right_and_all_judged_tickets_are_not(seed: int) -> None:
    cases, places = planted([[0.9, 0.7], [0.9, 0.7], [0.9, 0.7]], each=6000, seed=seed)
    uniform, judged = selected(cases, np.random.default_rng(seed))
    for place, truth in enumerate((0.9, 0.7)):
        mine = places == place
        honest, naive = (
            served(cases, mine & rows).workers[0].agreement for rows in (uniform, judged)
        )
        error = np.sqrt(truth * (1 - truth) / (mine & uniform).sum())
        assert abs(honest.value - truth) < 4 * error
        assert naive.high < truth - 0.02
