"""What the uniform stratum is good for: it is like all the others."""

import numpy as np

from streamer.decide.confidence_sequence import always_valid_interval
from streamer.decide.sampling import Sampling

COUNT = 100_000
IDS = [f"T-{number}" for number in range(COUNT)]


def test_the_stratum_tells_the_fidelity_of_all_and_the_doubtful_tickets_do_not() -> None:
    rng = np.random.default_rng(20260729)
    doubt = rng.random(COUNT)
    agrees = rng.random(COUNT) > 0.15 * doubt
    truth = agrees.mean()
    drawn = Sampling("salt", audit=0.02).sample(IDS, 0).uniform
    error = np.sqrt(truth * (1 - truth) / drawn.sum())
    assert abs(agrees[drawn].mean() - truth) < 4 * error
    assert abs(agrees[doubt > 0.8].mean() - truth) > 10 * error
    low, high = always_valid_interval(int(agrees[drawn].sum()), int(drawn.sum()))
    assert low < truth < high


def test_people_are_asked_within_the_stratum_and_all_of_it_is_logged() -> None:
    sample = Sampling("salt", audit=0.02, log=0.1, gold=0.05).sample(IDS, 0.5)
    assert not (sample.gold & ~sample.uniform).any()
    assert not (sample.uniform & ~sample.logged).any()
    assert abs(sample.uniform.mean() - (1 - 0.98 * 0.95)) < 0.005
    assert abs(sample.verify[sample.uniform].mean() - 0.5) < 4 * 0.5 / np.sqrt(sample.uniform.sum())


def test_nothing_is_drawn_where_nothing_was_asked_for() -> None:
    sample = Sampling("salt").sample(IDS[:100], 0)
    assert not (sample.uniform | sample.logged | sample.gold | sample.verify).any()
