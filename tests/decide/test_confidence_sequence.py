"""An interval that holds however often it is looked at."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from streamer.decide.confidence_sequence import always_valid_interval

RUNS, LOOKS, ALPHA = 4000, 600, 0.05


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


def ever_missed(
    hits: NDArray[np.int64], of: NDArray[np.int64], truth: float, alpha: float
) -> float:
    """The share of runs that miss the truth at any look, every pair of counts calculated once."""
    pairs, places = np.unique(of * (LOOKS + 1) + hits, return_inverse=True)
    low, high = always_valid_interval(pairs % (LOOKS + 1), pairs // (LOOKS + 1), alpha)
    missed = ((truth < low) | (truth > high))[places.reshape(hits.shape)]
    return float(missed.any(axis=1).mean())


@pytest.mark.parametrize("truth", [0.3, 0.97])
def test_no_more_runs_ever_miss_the_truth_than_promised(truth: float) -> None:
    """And more of them where less is promised: an interval of everything would miss none."""
    hits, of = runs(1, truth)
    missed = [ever_missed(hits, of, truth, alpha) for alpha in (ALPHA, 0.5)]
    print("ever missed:", missed)
    assert 0 < missed[0] <= ALPHA
    assert 2 * ALPHA < missed[1] <= 0.5


def test_a_watched_wilson_interval_misses_often() -> None:
    hits, of = runs(1, 0.97)
    least, most = wilson(hits, of)
    watched = ((least > 0.97) | (most < 0.97))[:, 100:].any(axis=1).mean()
    assert watched > ALPHA + 8 * math.sqrt(ALPHA * (1 - ALPHA) / RUNS)


@pytest.mark.parametrize(("hits", "of"), [(0, 20), (1, 20), (7, 20), (20, 20), (0, 1), (1, 1)])
def test_the_ends_are_where_the_mixture_exceeds_the_limit(hits: int, of: int) -> None:
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


@pytest.mark.parametrize(
    ("hits", "of", "alpha"),
    [(3, 2, 0.05), (-1, 2, 0.05), (1, 2, 0.0), (1, 2, 1.0), (1, 2, 1.5), (1, 2, -0.5)],
)
def test_counts_that_can_not_be_are_refused(hits: int, of: int, alpha: float) -> None:
    with pytest.raises(ValueError, match="0 <= hits <= of"):
        always_valid_interval(hits, of, alpha)
