"""What the uniform stratum is good for: it is like all the others."""

import numpy as np

from streamer.decide.confidence_sequence import always_valid_interval
from streamer.decide.sampling import Sample, Sampling, drawn

COUNT = 100_000
IDS = [f"T-{number}" for number in range(COUNT)]


def test_the_stratum_tells_the_fidelity_of_all_and_the_doubtful_tickets_do_not() -> None:
    rng = np.random.default_rng(20260729)
    doubt = rng.random(COUNT)
    agrees = rng.random(COUNT) > 0.15 * doubt
    truth = agrees.mean()
    stratum = Sampling("salt", audit=0.02).sample(IDS, 0).uniform
    error = np.sqrt(truth * (1 - truth) / stratum.sum())
    assert abs(agrees[stratum].mean() - truth) < 4 * error
    assert abs(agrees[doubt > 0.8].mean() - truth) > 10 * error
    low, high = always_valid_interval(int(agrees[stratum].sum()), int(stratum.sum()))
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


def test_each_mark_is_the_draw_of_its_own_name_which_never_changes() -> None:
    """A log of years tells by a ticket's id alone whether it was in the sample."""
    sample = Sampling("salt", audit=0.1, log=0.2, gold=0.05).sample(IDS[:2000], 0.3)
    gold = drawn(IDS[:2000], "salt", "gold", 0.05)
    uniform = gold | drawn(IDS[:2000], "salt", "audit", 0.1)
    assert sample.gold.tolist() == gold.tolist()
    assert sample.uniform.tolist() == uniform.tolist()
    assert sample.logged.tolist() == (uniform | drawn(IDS[:2000], "salt", "log", 0.2)).tolist()
    assert sample.verify.tolist() == drawn(IDS[:2000], "salt", "verify", 0.3).tolist()


def test_a_part_of_a_sample_keeps_each_mark_with_its_ticket() -> None:
    rows = np.array([3, 1])
    marks = [np.arange(4) == row for row in range(4)]
    part = Sample(*marks)[rows]
    found = [part.uniform, part.verify, part.logged, part.gold]
    assert [mark.tolist() for mark in found] == [mark[rows].tolist() for mark in marks]
    none = Sample.none(2)
    for mark in (none.uniform, none.verify, none.logged, none.gold):
        assert mark.tolist() == [False, False]
