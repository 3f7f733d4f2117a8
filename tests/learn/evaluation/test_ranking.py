"""Curves by hand, and what must hold for any order of any tickets."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.learn.evaluation.ranking import Ranking
from streamer.learn.measures.bootstrap import Bootstrap, once
from streamer.learn.measures.threshold_families import NEVER, Sweep

GOLD = np.zeros(6, np.int64)
JUDGE = np.array([0, 0, 0, 0, 1, 1])
# The surest two are right, the next can't be told apart, the last two have no quorum.
SWEEP = Sweep(np.array([0, 0, 1, 0, -1, -1]), np.array([0.9, 0.8, 0.5, 0.5, NEVER, NEVER]))
FALLBACK = np.array([2, 2, 2, 2, 0, 1])


def ranking(seed: int, tickets: int) -> Ranking:
    rng = np.random.default_rng(seed)
    confidence = rng.integers(1, 12, tickets) / 12.0
    confidence[rng.random(tickets) < 0.2] = NEVER
    named, judge = rng.integers(0, 3, (2, tickets))
    return Ranking.of(Sweep(named, confidence), named, judge, rng.integers(0, 3, tickets))


def test_a_curve_by_hand() -> None:
    found = Ranking.of(SWEEP, FALLBACK, JUDGE, GOLD)
    path = found.path(once(6))
    assert path.rates[0] == pytest.approx([1, 5 / 6, 4 / 6, 2 / 6, 0])
    assert path.quality[0] == pytest.approx([4 / 6, 4 / 6, 4 / 6, 3 / 6, 4 / 6])
    assert found.reach == pytest.approx(2 / 6)
    assert path.led(found.reach).rates.shape == (1, 4)
    area = (1 / 6 + 1 / 6) * 4 / 6 + 2 / 6 * 3.5 / 6 + 2 / 6 * 3.5 / 6
    assert path.area[0] == pytest.approx(area)


@given(st.integers(0, 2**32 - 1), st.integers(1, 60))
@settings(deadline=None, max_examples=60)
def test_no_order_beats_the_oracle_and_none_at_all_gives_the_mean_of_both_ends(
    seed: int, tickets: int
) -> None:
    found = ranking(seed, tickets)
    rates = np.linspace(0, 1, 23)[None, :]
    mine, best = (each.path(once(tickets)).at(rates) for each in (found, found.oracle()))
    assert (best >= mine - 1e-9).all()
    ends = found.path(once(tickets)).quality[0, [0, -1]]
    assert found.random().path(once(tickets)).area[0] == pytest.approx(ends.mean())


def test_deferring_at_random_has_the_area_of_the_straight_line() -> None:
    rng = np.random.default_rng(1)
    tickets = 4000
    gold, worker, judge = np.zeros(tickets, np.int64), *(rng.random((2, tickets)) < [[0.4], [0.2]])
    worker, judge = worker.astype(np.int64), judge.astype(np.int64)
    areas = [
        Ranking.of(Sweep(worker, rng.random(tickets)), worker, judge, gold)
        .path(once(tickets))
        .area[0]
        for _ in range(40)
    ]
    expected = ((worker == gold).mean() + (judge == gold).mean()) / 2
    error = np.std(areas) / np.sqrt(len(areas))
    assert abs(np.mean(areas) - expected) < 4 * error


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=30)
def test_counting_a_ticket_twice_is_having_it_twice(seed: int) -> None:
    rng = np.random.default_rng(seed)
    named, judge, gold = rng.integers(0, 3, (3, 12))
    confidence = rng.integers(1, 5, 12) / 5.0
    counts = rng.integers(0, 3, 12)
    counts[0] += 1
    rows = np.repeat(np.arange(12), counts)
    whole = Ranking.of(Sweep(named, confidence), named, judge, gold)
    drawn = Ranking.of(Sweep(named[rows], confidence[rows]), named[rows], judge[rows], gold[rows])
    weighed = whole.path(counts[None, :].astype(np.float64))
    assert weighed.area[0] == pytest.approx(drawn.path(once(len(rows))).area[0])


def test_the_bootstrap_is_paired_repeats_itself_and_finds_the_error_of_a_mean() -> None:
    values = np.random.default_rng(3).random(500)
    bootstrap = Bootstrap(resamples=2000)
    means = bootstrap.of(lambda counts: (counts @ values)[:, None] / 500, 500)
    assert (means == bootstrap.of(lambda counts: (counts @ values)[:, None] / 500, 500)).all()
    error = values.std() / np.sqrt(500)
    # The standard error of a standard deviation of B draws is about 1 / sqrt(2 B) of it.
    assert abs(means.std() - error) < 4 * error / np.sqrt(2 * 2000)
