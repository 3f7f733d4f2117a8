"""An interval that holds however often it is looked at."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from streamer.decide.confidence_sequence import always_valid_interval

RUNS, LOOKS, ALPHA = 500, 5000, 0.05


def runs(seed: int, truth: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    print("seed", seed)
    hits = np.random.default_rng(seed).random((RUNS, LOOKS)) < truth
    return hits.cumsum(axis=1), np.arange(1, LOOKS + 1)


def wilson(hits: NDArray[np.int64], of: NDArray[np.int64]) -> tuple[np.ndarray, np.ndarray]:
    z = 1.959963984540054
    p = hits / of
    centre = (p + z * z / (2 * of)) / (1 + z * z / of)
    half = z * np.sqrt(p * (1 - p) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return centre - half, centre + half


def test_few_runs_ever_miss_the_truth_where_a_watched_wilson_interval_often_does() -> None:
    truth = 0.97
    hits, of = runs(1, truth)
    low, high = always_valid_interval(hits, of, ALPHA)
    missed = ((truth < low) | (truth > high)).any(axis=1).mean()
    assert missed <= ALPHA + 4 * math.sqrt(ALPHA * (1 - ALPHA) / RUNS)
    least, most = wilson(hits, of)
    watched = ((truth < least) | (truth > most))[:, 100:].any(axis=1).mean()
    print("ever missed:", missed, "watched Wilson:", watched)
    assert watched > ALPHA + 8 * math.sqrt(ALPHA * (1 - ALPHA) / RUNS)


@pytest.mark.parametrize("hits", [0, 1, 7, 20])
def test_the_ends_are_where_the_mixture_exceeds_the_limit(hits: int) -> None:
    of = 20
    grid = np.linspace(0.0005, 0.9995, 1000)
    mixture = 1 / ((of + 1) * math.comb(of, hits))
    stands = grid**hits * (1 - grid) ** (of - hits) * (1 / ALPHA) >= mixture
    low, high = always_valid_interval(hits, of, ALPHA)
    assert low == pytest.approx(grid[stands].min(), abs=0.001)
    assert high == pytest.approx(grid[stands].max(), abs=0.001)


def test_nothing_seen_is_nothing_known_and_more_seen_is_narrower() -> None:
    assert always_valid_interval(0, 0) == (0, 1)
    of = np.array([10, 100, 1000, 100_000])
    low, high = always_valid_interval(0.9 * of, of)
    assert ((low < 0.9) & (high > 0.9)).all()
    assert (np.diff(high - low) < 0).all()
    assert (high - low)[-1] < 0.01


def test_hits_and_misses_mirror_each_other() -> None:
    of = np.arange(50)
    low, high = always_valid_interval(of // 3, of)
    below, above = always_valid_interval(of - of // 3, of)
    assert np.allclose(low, 1 - above)
    assert np.allclose(high, 1 - below)


@pytest.mark.parametrize(("hits", "of", "alpha"), [(3, 2, 0.05), (-1, 2, 0.05), (1, 2, 0.0)])
def test_counts_that_can_not_be_are_refused(hits: int, of: int, alpha: float) -> None:
    with pytest.raises(ValueError, match="0 <= hits <= of"):
        always_valid_interval(hits, of, alpha)
